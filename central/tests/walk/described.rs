//! Central's own description, and questions whose answers are held against it.

use std::collections::BTreeSet;

use hyper::Method;
use serde_json::Value;

use crate::client::{Answer, Client};

/// A job that never was.
pub(crate) const NONE: &str = "01890000-0000-7000-8000-000000000000";

/// The document, and which of its answers were met.
pub(crate) struct Described {
    pub(crate) document: Value,
    /// Path, method and status.
    pub(crate) met: BTreeSet<(String, String, String)>,
}

impl Described {
    pub(crate) const fn new(document: Value) -> Self {
        Self {
            document,
            met: BTreeSet::new(),
        }
    }

    pub(crate) async fn by(client: &Client) -> Self {
        Self::new(client.get("/api/v1/openapi.json").await.json())
    }

    pub(crate) fn operations(&self) -> Vec<(&String, &String, &Value)> {
        let paths = self.document["paths"].as_object().unwrap().iter();
        let operations = paths.flat_map(|(path, methods)| {
            let methods = methods.as_object().unwrap().iter();
            methods.map(move |(method, operation)| (path, method, operation))
        });
        operations.collect()
    }

    /// The response, looked up where it is told once for several.
    fn response(&self, path: &str, method: &str, status: &str) -> Option<&Value> {
        let response = self.document["paths"][path][method]["responses"].get(status)?;
        let named = response["$ref"]
            .as_str()
            .and_then(|it| it.rsplit('/').next());
        Some(named.map_or(response, |name| {
            &self.document["components"]["responses"][name]
        }))
    }

    /// The answer has a status, headers, a type and a body that the document describes.
    pub(crate) fn judge(&mut self, path: &str, method: &str, answer: &Answer) {
        let status = answer.status.to_string();
        let what = format!("{method} {path} {status}");
        let response = self.response(path, method, &status);
        let response = response.unwrap_or_else(|| panic!("{what} is not described: {answer:?}"));
        for (name, _header) in response["headers"].as_object().into_iter().flatten() {
            assert!(answer.headers.contains_key(name), "{what} lacks {name}");
        }
        let kind = answer.headers.get("content-type");
        let kind = kind.map_or("", |kind| kind.to_str().unwrap());
        let kind = kind.split(';').next().unwrap();
        let content = response["content"].as_object();
        match content {
            None => assert!(answer.text.is_empty(), "{what} has a body: {answer:?}"),
            Some(content) => {
                let body = content.get(kind);
                let body = body.unwrap_or_else(|| panic!("{what} came as {kind:?}"));
                if kind == "application/json" {
                    self.validate(&what, &body["schema"], &answer.json());
                }
            }
        }
        if let Some(code) = refusal_code(answer) {
            let told = response["description"].as_str().unwrap();
            assert!(
                told.contains(&code),
                "{what} is told as {told:?}, and not {code}"
            );
        }
        self.met
            .insert((path.to_owned(), method.to_owned(), status));
    }

    /// The body is what the schema says and nothing more.
    pub(crate) fn validate(&self, what: &str, schema: &Value, body: &Value) {
        let mut schema = schema.clone();
        schema["components"] = self.document["components"].clone();
        forbid_more(&mut schema);
        let validator = jsonschema::options()
            .should_validate_formats(true)
            .build(&schema)
            .unwrap();
        let wrong: Vec<_> = validator
            .iter_errors(body)
            .map(|error| format!("{}: {error}", error.instance_path()))
            .collect();
        assert!(wrong.is_empty(), "{what}: {wrong:#?} in {body:#}");
    }
}

/// The code of a refusal, as JSON or as a page.
fn refusal_code(answer: &Answer) -> Option<String> {
    if answer.status < 400 {
        return None;
    }
    if answer.text.starts_with('{') {
        return Some(answer.code());
    }
    let mark = ["Kode untuk tim TI: <code>", "<small>("];
    let code = mark.iter().find_map(|mark| answer.text.split(mark).nth(1));
    let code = code.unwrap_or_else(|| panic!("no code: {answer:?}"));
    let letters = code.chars().take_while(char::is_ascii_alphanumeric);
    Some(letters.collect())
}

/// Closes every object that names its properties: a field that no schema knows is found.
fn forbid_more(schema: &mut Value) {
    match schema {
        Value::Object(fields) => {
            if fields.get("properties").is_some_and(Value::is_object) {
                fields
                    .entry("additionalProperties")
                    .or_insert(Value::Bool(false));
            }
            fields.values_mut().for_each(forbid_more);
        }
        Value::Array(items) => items.iter_mut().for_each(forbid_more),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// One question of the document.
pub(crate) struct Ask<'a> {
    client: &'a Client,
    method: &'a str,
    path: &'a str,
    id: &'a str,
    query: &'a str,
    headers: Vec<(&'a str, &'a str)>,
    body: &'a str,
}

impl<'a> Ask<'a> {
    pub(crate) fn new(client: &'a Client, method: &'a str, path: &'a str) -> Self {
        Self {
            client,
            method,
            path,
            id: NONE,
            query: "",
            headers: Vec::new(),
            body: "",
        }
    }

    pub(crate) fn of(mut self, id: &'a str) -> Self {
        self.id = id;
        self
    }

    pub(crate) fn query(mut self, query: &'a str) -> Self {
        self.query = query;
        self
    }

    pub(crate) fn with(mut self, name: &'a str, value: &'a str) -> Self {
        self.headers.push((name, value));
        self
    }

    pub(crate) fn json(self, body: &'a str) -> Self {
        Self { body, ..self }.with("content-type", "application/json")
    }

    pub(crate) fn form(self, body: &'a str) -> Self {
        Self { body, ..self }.with("content-type", "application/x-www-form-urlencoded")
    }

    pub(crate) async fn get(self, described: &mut Described, status: u16) -> Answer {
        let path = self.path.replace("{id}", self.id).replace("{job}", self.id);
        let path = path.replace("{serial}", self.id);
        let method = Method::from_bytes(self.method.to_uppercase().as_bytes()).unwrap();
        let body = self.body.as_bytes().to_vec();
        let address = format!("{path}{}", self.query);
        let answer = self
            .client
            .send(method, &address, &self.headers, body)
            .await;
        assert_eq!(
            answer.status, status,
            "{} {address}: {answer:?}",
            self.method
        );
        described.judge(self.path, self.method, &answer);
        answer
    }
}
