use std::{fmt, marker::PhantomData, ops::Deref};

use bytestring::ByteString;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::DeserializeOwned, ser};
use serde_json::value::RawValue;

use crate::error::{Error, ErrorKind};

/// A parsed record with the JSON of the service.
///
/// It dereferences to `T`. It serializes as the service's own JSON, byte for byte, with
/// unknown fields, nulls and the format of numbers.
///
/// ```
/// use sophos_api::{WithRaw, models::Alert};
///
/// let json = r#"{"id":"1","severity":"high","new":{"field":1}}"#;
/// let alert: WithRaw<Alert> = serde_json::from_str(json)?;
/// assert_eq!(alert.severity.as_ref().map(|severity| severity.as_str()), Some("high"));
/// assert_eq!(alert.raw(), json);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone)]
pub struct WithRaw<T> {
    value: T,
    raw: RawText,
}

impl<T> WithRaw<T> {
    /// The service's own JSON.
    pub fn raw(&self) -> &str {
        self.raw.get()
    }

    /// The parsed record, without the JSON.
    pub fn into_inner(self) -> T {
        self.value
    }

    /// The parsed record and the JSON.
    pub fn into_parts(self) -> (T, Box<str>) {
        (self.value, self.raw.into_text())
    }
}

impl<T: Serialize> WithRaw<T> {
    /// A record of the client's own, with the JSON that it serializes to.
    pub(crate) fn from_value(value: T) -> Result<Self, Error> {
        let raw = serde_json::value::to_raw_value(&value).map_err(malformed_item)?;
        Ok(Self { value, raw: raw.into() })
    }
}

/// Without the JSON, which may hold a secret that the record hides.
impl<T: fmt::Debug> fmt::Debug for WithRaw<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.value.fmt(f)
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
        let raw = RawText::deserialize(deserializer)?;
        let value = serde_json::from_str(raw.get()).map_err(serde::de::Error::custom)?;
        Ok(Self { value, raw })
    }
}

impl<T> Serialize for WithRaw<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.raw.serialize(serializer)
    }
}

/// One item of a page, not parsed yet.
///
/// So an item that is not as documented does not affect the others, and a program that
/// only forwards records need not parse them.
///
/// ```
/// use serde::Deserialize;
/// use sophos_api::{Raw, models::SiemEvent};
///
/// #[derive(Deserialize)]
/// struct Severity<'a> {
///     severity: &'a str,
/// }
///
/// let event: Raw<SiemEvent> = serde_json::from_str(r#"{"id":"1","severity":"low"}"#)?;
/// assert_eq!(event.parse_as::<Severity<'_>>()?.severity, "low");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Serialize, Deserialize)]
#[serde(transparent, bound = "")]
pub struct Raw<T> {
    json: RawText,
    #[serde(skip)]
    marker: PhantomData<fn() -> T>,
}

/// Without the JSON, which may hold a secret.
impl<T> fmt::Debug for Raw<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Raw({} bytes)", self.json.get().len())
    }
}

impl<T> Raw<T> {
    pub(crate) fn new(json: impl Into<RawText>) -> Self {
        Self { json: json.into(), marker: PhantomData }
    }

    /// The service's own JSON.
    pub fn json(&self) -> &str {
        self.json.get()
    }

    /// Returns the service's own JSON by value.
    pub fn into_json(self) -> Box<str> {
        self.json.into_text()
    }

    /// Parses the fields of `U` from the item, borrowing from it.
    ///
    /// # Errors
    /// [`ErrorKind::Malformed`] when the item is not a `U`.
    pub fn parse_as<'a, U: Deserialize<'a>>(&'a self) -> Result<U, Error> {
        serde_json::from_str(self.json.get()).map_err(malformed_item)
    }
}

impl<T: DeserializeOwned> Raw<T> {
    /// Parses the item.
    ///
    /// # Errors
    /// [`ErrorKind::Malformed`] when it is not a `T`.
    pub fn parse(self) -> Result<WithRaw<T>, Error> {
        let value = serde_json::from_str(self.json.get()).map_err(malformed_item)?;
        Ok(WithRaw { value, raw: self.json })
    }
}

/// JSON that shares the memory of the response, or has its own.
#[derive(Clone)]
pub(crate) struct RawText(ByteString);

impl RawText {
    /// The JSON as a part of the body that it is borrowed from.
    ///
    /// # Panics
    /// When it is not a part of the body.
    pub(crate) fn within(body: &ByteString, json: &RawValue) -> Self {
        Self(body.slice_ref(json.get()))
    }

    fn get(&self) -> &str {
        &self.0
    }

    fn into_text(self) -> Box<str> {
        self.get().into()
    }
}

impl From<Box<RawValue>> for RawText {
    fn from(json: Box<RawValue>) -> Self {
        Self(String::from(Box::<str>::from(json)).into())
    }
}

impl<'de> Deserialize<'de> for RawText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Box::<RawValue>::deserialize(deserializer).map(Self::from)
    }
}

impl Serialize for RawText {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serde_json::from_str::<&RawValue>(self.get()).map_err(ser::Error::custom)?.serialize(serializer)
    }
}

// Serde's message may quote the item, which may hold a customer's data: the column and
// the category are enough.
fn malformed_item(error: serde_json::Error) -> Error {
    Error::new(ErrorKind::Malformed).with_message(format!(
        "an item is not as documented ({:?} error at column {})",
        error.classify(),
        error.column()
    ))
}
