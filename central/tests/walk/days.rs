//! A station's day, as the API and the console give it.

use crate::client::Client;
use crate::described::{Ask, Described};
use crate::openapi::{client_named, nobody};
use crate::rig::Rig;

/// A station's day, in each form.
pub(crate) async fn ask_for_days(rig: &Rig, operator: &Client, d: &mut Described) {
    let (it, stranger) = (client_named(rig, "hari", "it").await, nobody(rig));
    let good = "?machine=desa-contoh-1&day=2026-11-27";
    let ask = |client| Ask::new(client, "get", "/api/v1/reports/day");
    for form in ["", "&form=json", "&form=csv", "&form=data", "&form=pdf"] {
        let query = format!("{good}{form}");
        ask(&it).query(&query).get(d, 200).await;
    }
    let no_day = "?machine=desa-contoh-1&day=2026-02-30";
    ask(&it).query(no_day).get(d, 400).await;
    ask(&stranger).query(good).get(d, 401).await;
    ask(operator).query(good).get(d, 403).await;
    let no_machine = "?machine=desa-lain-9&day=2026-11-27";
    ask(&it).query(no_machine).get(d, 422).await;
}
