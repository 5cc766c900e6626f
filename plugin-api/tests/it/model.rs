//! Nouns are read leniently: what is missing has a default, what is unknown is ignored.

use linodetool_plugin::*;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};
use std::fmt::Debug;

/// `{}` is the default, what is written is read again, and a field of tomorrow changes nothing.
fn lenient<N: Serialize + DeserializeOwned + Default + PartialEq + Debug>() {
    let read = |value: Value| serde_json::from_value::<N>(value).expect("readable");
    assert_eq!(read(json!({})), N::default());
    let mut written = serde_json::to_value(N::default()).expect("JSON");
    assert_eq!(read(written.clone()), N::default());
    written["of_tomorrow"] = json!({ "deep": [1] });
    assert_eq!(read(written), N::default());
}

#[test]
fn every_noun() {
    lenient::<Account>();
    lenient::<Profile>();
    lenient::<Event>();
    lenient::<Region>();
    lenient::<Type>();
    lenient::<Image>();
    lenient::<Kernel>();
    lenient::<Instance>();
    lenient::<Address>();
    lenient::<Disk>();
    lenient::<InstanceConfig>();
    lenient::<Volume>();
    lenient::<NodeBalancer>();
    lenient::<NodeBalancerConfig>();
    lenient::<NodeBalancerNode>();
    lenient::<Domain>();
    lenient::<DomainRecord>();
    lenient::<Vpc>();
    lenient::<Subnet>();
    lenient::<StackScript>();
    lenient::<Firewall>();
    lenient::<Ip>();
    lenient::<PlacementGroup>();
    lenient::<RawOperation>();
    lenient::<RawParameter>();
    lenient::<Manifest>();
    lenient::<Nothing>();
}

#[test]
fn a_page_may_be_empty_and_may_have_a_next() {
    let page: Page<Region> = serde_json::from_value(json!({ "of_tomorrow": 1 })).expect("readable");
    assert_eq!(page, Page::whole(Vec::new()));
    assert_eq!(serde_json::to_value(&page).expect("JSON"), json!({ "items": [] }));
    let page: Page<Region> = serde_json::from_value(json!({ "items": [{}], "next": "2" })).expect("readable");
    assert_eq!((page.items.len(), page.next.as_deref()), (1, Some("2")));
}

#[test]
fn words_of_tomorrow_are_other() {
    let read = |word: &str| serde_json::from_value::<Instance>(json!({ "status": word })).expect("readable").status;
    assert_eq!(read("shutting_down"), InstanceStatus::ShuttingDown);
    assert_eq!(read("meditating"), InstanceStatus::Other);
    let read = |word: &str| serde_json::from_value::<Volume>(json!({ "status": word })).expect("readable").status;
    assert_eq!(read("meditating"), VolumeStatus::Other);
    let parameter = json!({ "name": "x", "place": "cookie", "type": "complex" });
    let parameter: RawParameter = serde_json::from_value(parameter).expect("readable");
    assert_eq!((parameter.place, parameter.kind), (RawPlace::Other, RawType::Any));
}

#[test]
fn a_type_costs_what_its_region_says() {
    let price = |hourly| Price { hourly, monthly: hourly * 700.0 };
    let size =
        Type { price: price(0.01), region_prices: [("br-gru".to_owned(), price(0.02))].into(), ..Type::default() };
    assert_eq!((size.price_in("us-east"), size.price_in("br-gru")), (price(0.01), price(0.02)));
}
