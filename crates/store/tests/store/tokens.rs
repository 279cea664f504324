use loket_store::{Role, Store, StoreError, TextError, TokenRow};
use loket_wire::Sha256Digest;

use crate::world::{World, at, central};

fn token(name: &str) -> TokenRow {
    TokenRow {
        token_sha256: Sha256Digest::of(name.as_bytes()),
        name: name.to_owned(),
        role: Role::Auditor,
        created_at: at(1),
        expires_at: at(100),
        revoked_at: None,
    }
}

#[test]
fn a_token_is_good_until_it_expires_or_is_revoked() {
    let world = World::new();
    world.store.insert_token(&token("ani"), &central()).unwrap();
    let found = || {
        world
            .store
            .token_by_hash(Sha256Digest::of(b"ani"))
            .unwrap()
            .unwrap()
    };
    assert_eq!(found(), token("ani"));
    assert!(found().is_good(at(100)) && !found().is_good(at(101)));
    world.store.revoke_token("ani", &central(), at(50)).unwrap();
    world.store.revoke_token("ani", &central(), at(60)).unwrap();
    assert!(!found().is_good(at(50)));
    assert_eq!(found().revoked_at, Some(at(50)));
    assert_eq!(world.store.tokens().unwrap().len(), 1);
    assert_eq!(
        world
            .store
            .token_by_hash(Sha256Digest::of(b"budi"))
            .unwrap(),
        None
    );
    world.check();
}

#[test]
fn token_names_are_unique_and_hold_no_personal_number() {
    let world = World::new();
    world.store.insert_token(&token("ani"), &central()).unwrap();
    let twice = world.store.insert_token(&token("ani"), &central());
    assert!(matches!(twice, Err(StoreError::TokenNameTaken)));
    let personal = world
        .store
        .insert_token(&token("9971010101800001"), &central());
    let field = "a token's name";
    assert!(
        matches!(personal, Err(StoreError::Text(TextError::PersonalNumber { field: met })) if met == field)
    );
    let unknown = world.store.revoke_token("budi", &central(), at(1));
    assert!(matches!(unknown, Err(StoreError::NoSuchToken)));
}
