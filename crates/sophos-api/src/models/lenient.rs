//! The readers of the fields and items of wire models.

use std::{fmt, marker::PhantomData};

use serde::{
    Deserialize, Deserializer,
    de::{DeserializeOwned, Error, SeqAccess, Visitor},
};
use serde_json::value::RawValue;

use crate::models::raw::Raw;

/// The longest field that a model reads, in bytes. A value takes many times the
/// memory of its text.
const MAX_MEMBER_LEN: usize = 1 << 20;

/// The most items of a list. The largest page of the service has 1,000.
const MAX_ITEMS: usize = 20_000;

/// Reads a field leniently. `None` stands for null, a value of another type than
/// documented, and one of more than a MiB. The record's JSON still holds it.
pub(crate) fn lenient<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: DeserializeOwned,
{
    let raw = Box::<RawValue>::deserialize(deserializer)?;
    let raw = Some(raw.get()).filter(|raw| raw.len() <= MAX_MEMBER_LEN);
    Ok(raw.and_then(|raw| serde_json::from_str(raw).ok()))
}

/// Reads an id: a text, or the digits of a number of any size.
pub(crate) fn required_id<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: From<String>,
{
    let raw = Box::<RawValue>::deserialize(deserializer)?;
    id_text(&raw).map(T::from).ok_or_else(|| D::Error::custom("invalid id: expected a text or a number"))
}

/// Reads an id leniently.
pub(crate) fn lenient_id<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: From<String>,
{
    let raw = Box::<RawValue>::deserialize(deserializer)?;
    Ok(id_text(&raw).map(T::from))
}

/// The text of an id as the service wrote it.
fn id_text(raw: &RawValue) -> Option<String> {
    let text = raw.get();
    match text.as_bytes().first()? {
        b'"' => serde_json::from_str(text).ok(),
        b'-' | b'0'..=b'9' => Some(text.to_owned()),
        _ => None,
    }
}

/// Reads the items of a page, up to a bound: each takes memory, which an unexpected
/// response could exhaust. Null means no items.
pub(crate) fn items<'de, D, T>(deserializer: D) -> Result<Vec<Raw<T>>, D::Error>
where
    D: Deserializer<'de>,
{
    Ok(raw_items::<_, Box<RawValue>>(deserializer)?.into_iter().map(Raw::new).collect())
}

/// Reads the items as their JSON, owned or borrowed. It is not generic over the records,
/// so that it is compiled once.
pub(crate) fn raw_items<'de, D, I>(deserializer: D) -> Result<Vec<I>, D::Error>
where
    D: Deserializer<'de>,
    I: Deserialize<'de>,
{
    struct Items<I>(PhantomData<I>);

    impl<'de, I: Deserialize<'de>> Visitor<'de> for Items<I> {
        type Value = Vec<I>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            write!(f, "a list of at most {MAX_ITEMS} items")
        }

        fn visit_unit<E>(self) -> Result<Self::Value, E> {
            Ok(Vec::new())
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
            let mut items = Vec::new();
            while let Some(item) = list.next_element()? {
                if items.len() == MAX_ITEMS {
                    return Err(A::Error::invalid_length(items.len() + 1, &self));
                }
                items.push(item);
            }
            Ok(items)
        }
    }

    deserializer.deserialize_any(Items(PhantomData))
}

/// Reads a value, and null as the default.
pub(crate) fn null_as_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de> + Default,
{
    Option::deserialize(deserializer).map(Option::unwrap_or_default)
}

/// Reads a list leniently: it omits an item that is not as documented.
pub(crate) fn lenient_list<'de, D, T>(deserializer: D) -> Result<Option<Vec<T>>, D::Error>
where
    D: Deserializer<'de>,
    T: DeserializeOwned,
{
    struct List(Vec<Box<RawValue>>);

    impl<'de> Deserialize<'de> for List {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            raw_items(deserializer).map(Self)
        }
    }

    let raw = Option::<Box<RawValue>>::deserialize(deserializer)?;
    let list: Option<List> = raw.and_then(|raw| serde_json::from_str(raw.get()).ok());
    Ok(list
        .map(|List(items)| items.iter().filter_map(|item| serde_json::from_str(item.get()).ok()).collect()))
}
