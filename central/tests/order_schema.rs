//! The published schema of an order and what central takes must not drift apart.

#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests stand outside of what clippy takes for a test"
)]

use std::collections::BTreeSet;

use loket_wire::Order;
use serde_json::{Value, json};

fn schema() -> Value {
    serde_json::from_str(include_str!("../../docs/order.schema.json")).unwrap()
}

fn keys(of: &Value) -> BTreeSet<String> {
    of.as_object().unwrap().keys().cloned().collect()
}

fn texts(of: &Value) -> BTreeSet<String> {
    of.as_array()
        .unwrap()
        .iter()
        .map(|text| text.as_str().unwrap().to_owned())
        .collect()
}

/// An order with every key that there is, though `office` and `machine` exclude each other.
fn everything() -> Value {
    json!({
        "version": 1,
        "reference": "KK-1",
        "machine": "desa-1",
        "office": "kec-1",
        "service": "kk",
        "class": "controlled",
        "release": "officer",
        "not_after": "2026-12-01T00:00:00Z",
        "label": "x",
        "reprint_of": { "job": "019a0000-0000-7000-8000-000000000000", "reason": "macet" },
    })
}

fn taken(order: &Value) -> bool {
    serde_json::from_value::<Order>(order.clone()).is_ok_and(|order| order.check().is_ok())
}

#[test]
fn the_schema_names_exactly_the_keys_that_are_read() {
    let schema = schema();
    let whole = everything();
    let order: Order = serde_json::from_value(whole.clone()).unwrap();
    assert_eq!(keys(&serde_json::to_value(&order).unwrap()), keys(&whole));
    assert_eq!(keys(&schema["properties"]), keys(&whole));
    assert_eq!(schema["additionalProperties"], json!(false));
    let reprint = &schema["properties"]["reprint_of"];
    assert_eq!(keys(&reprint["properties"]), keys(&whole["reprint_of"]));
    assert_eq!(reprint["additionalProperties"], json!(false));
}

#[test]
fn what_the_schema_requires_is_refused_when_missing_and_nothing_else_is() {
    let required = texts(&schema()["required"]);
    let mut whole = everything();
    whole.as_object_mut().unwrap().remove("office");
    assert!(taken(&whole));
    for key in keys(&whole) {
        let mut without = whole.clone();
        without.as_object_mut().unwrap().remove(&key);
        let expected = !required.contains(&key) && key != "machine";
        assert_eq!(taken(&without), expected, "{key}");
    }
    for key in texts(&schema()["properties"]["reprint_of"]["required"]) {
        let mut without = whole.clone();
        without["reprint_of"].as_object_mut().unwrap().remove(&key);
        assert!(!taken(&without), "{key}");
    }
    let mut more = whole.clone();
    more["copies"] = json!(1);
    assert!(!taken(&more));
    more = whole;
    more["reprint_of"]["who"] = json!("x");
    assert!(!taken(&more));
}

#[test]
fn the_values_and_lengths_of_the_schema_are_those_of_the_reader() {
    let schema = schema();
    let properties = &schema["properties"];
    let mut whole = everything();
    whole.as_object_mut().unwrap().remove("office");
    let with = |key: &str, value: Value| {
        let mut order = whole.clone();
        order[key] = value;
        taken(&order)
    };
    for release in texts(&properties["release"]["enum"]) {
        assert!(with("release", json!(release)), "{release}");
    }
    assert!(!with("release", json!("later")));
    assert!(with("class", properties["class"]["const"].clone()));
    assert!(!with("class", json!("own")));
    let length = usize::try_from(properties["label"]["maxLength"].as_u64().unwrap()).unwrap();
    assert!(with("label", json!("é".repeat(length))));
    assert!(!with("label", json!("é".repeat(length + 1))));
    assert!(!with("label", json!("a\nb")));
    let reason = &properties["reprint_of"]["properties"]["reason"];
    let length = usize::try_from(reason["maxLength"].as_u64().unwrap()).unwrap();
    let job = "019a0000-0000-7000-8000-000000000000";
    let reprint = |reason: String| json!({ "job": job, "reason": reason });
    assert!(with("reprint_of", reprint("x".repeat(length))));
    assert!(!with("reprint_of", reprint("x".repeat(length + 1))));
    assert!(!with("reprint_of", reprint(String::new())));
    for reserved in texts(&properties["machine"]["not"]["enum"]) {
        assert!(!with("machine", json!(reserved)), "{reserved}");
    }
}

#[test]
fn the_order_of_the_fixtures_is_taken() {
    let fixture = include_str!("../../tests/fixtures/order.json");
    let order: Value = serde_json::from_str(fixture).unwrap();
    assert!(taken(&order));
    assert!(keys(&order).is_subset(&keys(&schema()["properties"])));
}
