//! Supplies and trays in plain Indonesian: the machine's command line and central's console say the same.

use super::{Colour, Level, Stock, Supply, SupplyKind, Tray};

impl Stock {
    /// Everything that is left, a line each: supplies, then trays.
    #[must_use]
    pub fn in_words(&self) -> Vec<String> {
        let supplies = self.supplies.iter().filter_map(Supply::in_words);
        let trays = self.trays.iter().zip(1..);
        supplies
            .chain(trays.map(|(tray, no)| tray.in_words(no)))
            .collect()
    }
}

impl Supply {
    /// What it is, for instance `Toner hitam`.
    #[must_use]
    pub fn what_in_words(&self) -> String {
        let kind = match self.kind {
            SupplyKind::Toner => "Toner",
            SupplyKind::Ink => "Tinta",
            SupplyKind::Waste => "Penampung sisa",
            SupplyKind::Drum => "Drum",
            SupplyKind::Fuser => "Fuser",
            SupplyKind::Paper => "Kertas",
            SupplyKind::Other => self.name.as_deref().unwrap_or("Bahan lain"),
        };
        let colour = match self.colour {
            Some(Colour::Black) => " hitam",
            Some(Colour::Cyan) => " sian",
            Some(Colour::Magenta) => " magenta",
            Some(Colour::Yellow) => " kuning",
            Some(Colour::Other) | None => "",
        };
        format!("{kind}{colour}")
    }

    /// What it is and how much is left, for instance `Toner hitam 12 %`; nothing of what only a fault tells.
    #[must_use]
    pub fn in_words(&self) -> Option<String> {
        if self.kind == SupplyKind::Waste {
            return None;
        }
        let what = self.what_in_words();
        Some(match self.level {
            Level::Known(0) => format!("{what} habis"),
            Level::Known(percent) => format!("{what} {percent} %"),
            Level::Some => format!("{what} masih ada"),
            Level::Other | Level::Unknown => format!("{what}: sisa tidak diketahui"),
        })
    }
}

impl Tray {
    /// Which it is and what lies in it, for instance `Baki 1 (A4)`; `no` is its place among the trays, from 1.
    #[must_use]
    pub fn what_in_words(&self, no: usize) -> String {
        let name = self.name_in_words(no);
        match self.media_in_words() {
            Some(media) => format!("{name} ({media})"),
            None => name,
        }
    }

    /// What lies in it, for instance `A4`.
    #[must_use]
    pub fn media_in_words(&self) -> Option<String> {
        self.media.as_deref().map(media_in_words)
    }

    /// What lies in it, for instance `Baki 1: A4, ±120 lembar`; `no` is its place among the trays, from 1.
    #[must_use]
    pub fn in_words(&self, no: usize) -> String {
        let mut parts = Vec::new();
        parts.extend(self.media.as_deref().map(media_in_words));
        if self.is_out_of_order {
            parts.push("tidak dapat dipakai".to_owned());
        }
        parts.push(match self.level {
            Level::Known(0) => "kosong".to_owned(),
            Level::Known(sheets) => format!("±{sheets} lembar"),
            Level::Some => "masih ada kertas".to_owned(),
            Level::Other | Level::Unknown => "isi tidak diketahui".to_owned(),
        });
        format!("{}: {}", self.name_in_words(no), parts.join(", "))
    }

    /// `Tray 1` and the keyword `tray-1` are `Baki 1`; another name stays what it is.
    fn name_in_words(&self, no: usize) -> String {
        let name = self.name.as_deref().unwrap_or_default().trim();
        let lower = name.to_ascii_lowercase();
        let number = lower
            .strip_prefix("tray")
            .map(|rest| rest.trim_start_matches([' ', '-', '_']))
            .filter(|rest| !rest.is_empty() && rest.chars().all(|c| c.is_ascii_digit()));
        match (number, lower.as_str()) {
            (Some(number), _) => format!("Baki {number}"),
            (None, "") => format!("Baki {no}"),
            (None, "main") => "Baki utama".to_owned(),
            (None, _) => format!("Baki {name}"),
        }
    }
}

/// The sheet's name where it has one in an Indonesian office, else its dimensions, else the keyword.
fn media_in_words(media: &str) -> String {
    let dimensions = media.rsplit('_').next().unwrap_or(media);
    let known = match dimensions {
        "210x297mm" => "A4",
        "148x210mm" => "A5",
        "297x420mm" => "A3",
        // Folio, which stationers here sell as F4.
        "215x330mm" | "216x330mm" | "8.5x13in" => "F4",
        "216x279mm" | "8.5x11in" => "Letter",
        "216x356mm" | "8.5x14in" => "Legal",
        other => other,
    };
    known.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn toner(level: Level) -> Supply {
        Supply {
            kind: SupplyKind::Toner,
            colour: Some(Colour::Black),
            name: Some("Black Cartridge".to_owned()),
            level,
            low_percent: None,
        }
    }

    fn tray(name: &str, media: &str, level: Level) -> Tray {
        Tray {
            name: Some(name.to_owned()),
            media: Some(media.to_owned()),
            level,
            capacity: None,
            is_out_of_order: false,
        }
    }

    #[test]
    fn a_supply_is_said_by_what_it_is_and_how_much_is_left() {
        for (level, said) in [
            (Level::Known(12), "Toner hitam 12 %"),
            (Level::Known(0), "Toner hitam habis"),
            (Level::Some, "Toner hitam masih ada"),
            (Level::Unknown, "Toner hitam: sisa tidak diketahui"),
        ] {
            assert_eq!(toner(level).in_words().as_deref(), Some(said));
        }
        let other = Supply {
            kind: SupplyKind::Other,
            colour: None,
            name: Some("Staples".to_owned()),
            ..toner(Level::Known(5))
        };
        assert_eq!(other.in_words().as_deref(), Some("Staples 5 %"));
        let waste = Supply {
            kind: SupplyKind::Waste,
            ..toner(Level::Known(5))
        };
        assert_eq!(waste.in_words(), None);
    }

    #[test]
    fn a_tray_is_said_by_its_number_paper_and_sheets() {
        let a4 = "iso_a4_210x297mm";
        for (tray, said) in [
            (
                tray("Tray 1", a4, Level::Known(120)),
                "Baki 1: A4, ±120 lembar",
            ),
            (tray("tray-2", a4, Level::Known(0)), "Baki 2: A4, kosong"),
            (
                tray("main", "215x330mm", Level::Some),
                "Baki utama: F4, masih ada kertas",
            ),
            (
                tray("Lower", "100x150mm", Level::Unknown),
                "Baki Lower: 100x150mm, isi tidak diketahui",
            ),
        ] {
            assert_eq!(tray.in_words(3), said);
        }
        let first = tray("Tray 1", a4, Level::Known(120));
        assert_eq!(first.what_in_words(3), "Baki 1 (A4)");
        let bare = Tray {
            media: None,
            ..first
        };
        assert_eq!(bare.what_in_words(3), "Baki 1");
        let broken = Tray {
            name: None,
            is_out_of_order: true,
            ..tray("", a4, Level::Some)
        };
        assert_eq!(
            broken.in_words(3),
            "Baki 3: A4, tidak dapat dipakai, masih ada kertas"
        );
    }
}
