use std::collections::{BTreeMap, HashMap};

use proptest::prelude::*;
use serde::Serialize;

use super::*;
use crate::json::{Value, tag::Tuple};

fn flask<T: Serialize + ?Sized>(value: &T) -> String {
    to_text(value, JsonDialect::FLASK).expect("it can be written")
}

#[derive(Serialize)]
struct Cart {
    total: f64,
    items: Vec<Item>,
    note: Option<&'static str>,
}

#[derive(Serialize)]
struct Item {
    qty: u8,
    id: i64,
}

#[derive(Serialize)]
enum Choice {
    Unit,
    New(u8),
    Pair(u8, u8),
    Fields {
        z: u8,
        a: u8,
    },
    #[serde(rename = " t")]
    Looks(u8),
    #[serde(rename = " u")]
    LooksToo {
        z: u8,
        a: u8,
    },
    #[serde(rename = " b")]
    LooksAsWell(u8, u8),
}

#[test]
fn structs_are_sorted_too() {
    let cart = Cart {
        total: 9.99,
        items: vec![Item { qty: 2, id: -1 }],
        note: None,
    };
    assert_eq!(
        flask(&cart),
        r#"{"items":[{"id":-1,"qty":2}],"note":null,"total":9.99}"#
    );
    assert_eq!(
        to_text(&cart, JsonDialect::STARLETTE).as_deref(),
        Ok(r#"{"total": 9.99, "items": [{"qty": 2, "id": -1}], "note": null}"#)
    );
}

#[test]
fn enums_are_those_of_serde_json() {
    let all = [
        Choice::Unit,
        Choice::New(1),
        Choice::Pair(1, 2),
        Choice::Fields { z: 1, a: 2 },
        Choice::Looks(1),
        Choice::LooksToo { z: 1, a: 2 },
        Choice::LooksAsWell(1, 2),
    ];
    let plain = to_text(&all, JsonDialect::COMPACT).expect("plain");
    assert_eq!(plain, serde_json::to_string(&all).expect("plain"));
    assert_eq!(
        flask(&all),
        concat!(
            r#"["Unit",{"New":1},{"Pair":[1,2]},{"Fields":{"a":2,"z":1}},"#,
            r#"{" di":{" t__":1}},{" di":{" u__":{"a":2,"z":1}}},{" di":{" b__":[1,2]}}]"#
        )
    );
}

#[test]
fn keys_are_converted_as_python_does() {
    assert_eq!(
        flask(&BTreeMap::from([(10, "a"), (9, "b"), (-1, "c")])),
        r#"{"-1":"c","9":"b","10":"a"}"#
    );
    assert_eq!(
        flask(&HashMap::from([(100_u64, 1), (20, 2), (3, 3)])),
        r#"{"3":3,"20":2,"100":1}"#
    );
    assert_eq!(
        flask(&BTreeMap::from([(true, 1), (false, 2)])),
        r#"{"false":2,"true":1}"#
    );
    assert_eq!(flask(&BTreeMap::from([(None::<u8>, 1)])), r#"{"null":1}"#);
    assert_eq!(flask(&BTreeMap::from([('é', 1)])), r#"{"\u00e9":1}"#);
    assert_eq!(
        flask(&BTreeMap::from([(u128::MAX, 1), (2, 1)])),
        format!("{{\"2\":1,\"{}\":1}}", u128::MAX)
    );
    let mixed = BTreeMap::from([(None, 1), (Some("a"), 2)]);
    assert_eq!(
        to_text(&mixed, JsonDialect::FLASK),
        Err(EncodeError::MixedKeys)
    );
    assert_eq!(
        to_text(&mixed, JsonDialect::QUART).as_deref(),
        Ok(r#"{"null":1,"a":2}"#)
    );
    assert_eq!(
        to_text(&BTreeMap::from([((1, 2), 1)]), JsonDialect::FLASK),
        Err(EncodeError::BadKey)
    );
}

/// A map of floats, which no collection of the standard library can represent.
struct Floats(Vec<f64>);

impl Serialize for Floats {
    fn serialize<S: ser::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        struct Key(f64);
        impl Serialize for Key {
            fn serialize<S: ser::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_f64(self.0)
            }
        }
        serializer.collect_map(self.0.iter().map(|&key| (Key(key), 1)))
    }
}

#[test]
fn float_keys_sort_as_numbers() {
    assert_eq!(
        flask(&Floats(vec![10.0, 9.5, 1e16])),
        r#"{"9.5":1,"10.0":1,"1e+16":1}"#
    );
}

#[test]
fn what_looks_like_a_tag_is_escaped() {
    let one = |key| BTreeMap::from([(key, 1)]);
    assert_eq!(flask(&one(" t")), r#"{" di":{" t__":1}}"#);
    assert_eq!(flask(&one(" t__")), r#"{" t__":1}"#);
    assert_eq!(flask(&one(" zz")), r#"{" zz":1}"#);
    assert_eq!(
        flask(&BTreeMap::from([(" t", 1), ("x", 2)])),
        r#"{" t":1,"x":2}"#
    );
    let nested = HashMap::from([(" di", one(" t"))]);
    assert_eq!(flask(&nested), r#"{" di":{" di__":{" di":{" t__":1}}}}"#);
    assert_eq!(
        to_text(&nested, JsonDialect::STARLETTE).as_deref(),
        Ok(r#"{" di": {" t": 1}}"#)
    );
    let spaced = JsonDialect {
        spaced: true,
        ..JsonDialect::FLASK
    };
    assert_eq!(
        to_text(&one(" t"), spaced).as_deref(),
        Ok(r#"{" di": {" t__": 1}}"#)
    );
    assert_eq!(
        to_text(&Tuple([1, 2]), spaced).as_deref(),
        Ok(r#"{" t": [1, 2]}"#)
    );
}

#[test]
fn numbers_of_all_sizes() {
    assert_eq!(
        flask(&(i128::MIN, u128::MAX)),
        format!("[{},{}]", i128::MIN, u128::MAX)
    );
    assert_eq!(
        flask(&(0.1_f32, 1e16, -0.0, f64::NAN)),
        "[0.1,1e+16,-0.0,NaN]"
    );
}

#[test]
fn an_error_leaves_the_output_alone() {
    let mut out = "before".to_owned();
    let bad = ("text", tag::Bytes(vec![]));
    assert!(append_text(&bad, JsonDialect::COMPACT, &mut out).is_err());
    assert_eq!(out, "before");
    append_text(&1, JsonDialect::COMPACT, &mut out).expect("a number");
    assert_eq!(out, "before1");
}

#[test]
fn nesting_ends_where_readers_stop() {
    enum Deep {
        End,
        List(Box<Deep>),
        Tag(Box<Deep>),
    }
    impl Serialize for Deep {
        fn serialize<S: ser::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            match self {
                Self::End => serializer.serialize_unit(),
                Self::List(inner) => serializer.collect_seq([inner]),
                Self::Tag(inner) => serializer.collect_map([(" t", inner)]),
            }
        }
    }
    let nested = |wrap: fn(Box<Deep>) -> Deep, depth: usize| {
        (0..depth).fold(Deep::End, |inner, _| wrap(Box::new(inner)))
    };
    assert!(to_text(&nested(Deep::List, VALUE_DEPTH), JsonDialect::FLASK).is_ok());
    let deep = to_text(&nested(Deep::List, VALUE_DEPTH + 1), JsonDialect::FLASK);
    assert_eq!(deep, Err(EncodeError::TooDeep));
    // Each escape adds two levels.
    assert!(to_text(&nested(Deep::Tag, VALUE_DEPTH / 2), JsonDialect::FLASK).is_ok());
    let deep = to_text(&nested(Deep::Tag, VALUE_DEPTH / 2 + 1), JsonDialect::FLASK);
    assert_eq!(deep, Err(EncodeError::TooDeep));
    assert_eq!(
        to_text(&nested(Deep::List, 5000), JsonDialect::FLASK),
        Err(EncodeError::TooDeep)
    );
}

proptest! {
    #[test]
    fn maps_come_out_sorted(map in prop::collection::hash_map("[a-c é🍷]{0,3}", any::<i32>(), 2..6)) {
        let sorted: BTreeMap<_, _> = map.iter().collect();
        prop_assert_eq!(flask(&map), to_text(&sorted, JsonDialect::QUART).expect("a map"));
    }

    #[test]
    fn plain_text_is_that_of_serde_json(value in any::<(Vec<Option<i64>>, String, bool, BTreeMap<String, u8>)>()) {
        prop_assert_eq!(to_text(&value, JsonDialect::COMPACT).expect("plain"), serde_json::to_string(&value).expect("plain"));
    }

    #[test]
    fn what_is_written_can_be_read(map in prop::collection::btree_map(" [tbmud]|[a-c]{0,2}", any::<f64>(), 0..4)) {
        let value = Value::parse(&flask(&map), true).expect("we wrote it");
        prop_assert_eq!(flask(&value), flask(&map));
    }
}
