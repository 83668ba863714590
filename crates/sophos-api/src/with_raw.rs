use std::{marker::PhantomData, ops::Deref};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::DeserializeOwned};
use serde_json::value::RawValue;

use crate::error::{Error, ErrorKind};

/// What the service sent, read as `T`, with the JSON it was read from.
///
/// Reads like a `T`. Written again it is the service's own JSON, byte for byte:
/// members that `T` does not know, nulls and the form of numbers are all there.
#[derive(Debug, Clone)]
pub struct WithRaw<T> {
    value: T,
    raw: Box<RawValue>,
}

impl<T> WithRaw<T> {
    /// The service's own JSON.
    pub fn raw(&self) -> &str {
        self.raw.get()
    }

    /// What was read, without the JSON.
    pub fn into_inner(self) -> T {
        self.value
    }

    /// What was read, and the JSON.
    pub fn into_parts(self) -> (T, Box<str>) {
        (self.value, self.raw.into())
    }
}

impl<T: Serialize> WithRaw<T> {
    /// A record that the service did not send, but would have sent like this.
    pub(crate) fn from_value(value: T) -> Result<Self, Error> {
        let raw = serde_json::value::to_raw_value(&value).map_err(malformed_item)?;
        Ok(Self { value, raw })
    }
}

impl<T> Deref for WithRaw<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl<'de, T: DeserializeOwned> Deserialize<'de> for WithRaw<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        let value = serde_json::from_str(raw.get()).map_err(serde::de::Error::custom)?;
        Ok(Self { value, raw })
    }
}

impl<T> Serialize for WithRaw<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.raw.serialize(serializer)
    }
}

/// One item of a page, not read yet.
///
/// Pages hold these so that one item that is not as documented costs that item
/// alone, and so that a program that only passes records on need not read them.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(transparent, bound = "")]
pub struct Raw<T> {
    json: Box<RawValue>,
    #[serde(skip)]
    marker: PhantomData<fn() -> T>,
}

impl<T> Raw<T> {
    /// The service's own JSON.
    pub fn json(&self) -> &str {
        self.json.get()
    }

    /// The service's own JSON, for good.
    pub fn into_json(self) -> Box<str> {
        self.json.into()
    }

    /// Reads as little of the item as `U` asks for, borrowing from it.
    ///
    /// # Errors
    /// [`ErrorKind::Malformed`] when the item is not a `U`.
    pub fn parse_as<'a, U: Deserialize<'a>>(&'a self) -> Result<U, Error> {
        serde_json::from_str(self.json.get()).map_err(malformed_item)
    }
}

impl<T: DeserializeOwned> Raw<T> {
    /// Reads the item.
    ///
    /// # Errors
    /// [`ErrorKind::Malformed`] when it is not a `T`.
    pub fn parse(self) -> Result<WithRaw<T>, Error> {
        let value = serde_json::from_str(self.json.get()).map_err(malformed_item)?;
        Ok(WithRaw { value, raw: self.json })
    }
}

// Serde's account of the failure may quote the item, which may hold a
// customer's data: the place and the category say enough.
fn malformed_item(error: serde_json::Error) -> Error {
    Error::new(ErrorKind::Malformed).with_message(format!(
        "an item is not as documented ({:?} error at column {})",
        error.classify(),
        error.column()
    ))
}
