//! The profiles of `firmware-config/devices`, as they were when this was built.

macro_rules! shipped {
    ($($name:literal,)*) => {
        &[$(($name, include_str!(concat!("../../../firmware-config/devices/", $name, ".toml"))),)*]
    };
}

/// By name, in the order of the folder.
pub(crate) const SHIPPED: &[(&str, &str)] = shipped![
    "brother-ql-810w",
    "hp-color-laserjet-flow",
    "hp-laser-107-135",
    "hp-officejet-pro-87xx",
    "hp-scanjet-pro-4500",
    "xerox-b210",
];
