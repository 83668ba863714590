//! Calls by name with JSON arguments, for hosts that choose the function at run time.
//! Other hosts use [`Session::interfaces`].

use serde_json::{Map, Number, Value, json};
use wasmtime::{
    Result, bail,
    component::{Func, ResourceAny, Type, Val},
    error::Context,
};

use crate::central::Session;

const PACKAGE: &str = "sophos:central";
const VERSION: &str = "0.2.0";

/// A call, with the names of the WIT. A record may omit options, and a variant is
/// `{"tag": …, "val": …}`.
#[derive(Debug, Clone, Copy)]
pub struct DynamicCall<'a> {
    /// The interface.
    pub interface: &'a str,
    /// The function.
    pub function: &'a str,
    /// The arguments, one for each parameter.
    pub arguments: &'a [Value],
    /// The tenant that `"$tenant"` stands for.
    pub tenant: Option<ResourceAny>,
}

/// The result of a call.
#[derive(Debug, Clone)]
pub enum CallOutcome {
    /// The returned value. A tenant becomes its summary.
    Ok(Value),
    /// The returned error, usually the WIT's `failure`.
    Failure(Value),
    /// The component lacks the function.
    Absent,
}

impl<H: Send> Session<H> {
    /// Calls a function by its name. Also returns the last tenant of the result.
    ///
    /// # Errors
    /// If an argument does not have its parameter's type, or the component traps.
    pub async fn call(&mut self, call: DynamicCall<'_>) -> Result<(CallOutcome, Option<ResourceAny>)> {
        let Some(function) = self.function(call.interface, call.function) else {
            return Ok((CallOutcome::Absent, None));
        };
        let types: Vec<_> = function.ty(&self.store).params().map(|(_, ty)| ty).collect();
        if types.len() != call.arguments.len() {
            bail!("invalid call of {}.{}: expected {} arguments", call.interface, call.function, types.len());
        }
        let given = types.iter().zip(call.arguments);
        let given: Vec<_> = given.map(|(ty, value)| to_val(ty, value, call.tenant)).collect::<Result<_>>()?;
        let (failed, payload) = match self.invoke(function, &given).await? {
            Val::Result(Ok(payload)) => (false, payload.map(|payload| *payload)),
            Val::Result(Err(payload)) => (true, payload.map(|payload| *payload)),
            other => (false, Some(other)),
        };
        let mut tenants = Vec::new();
        payload.iter().for_each(|payload| find_tenants(payload, &mut tenants));
        let mut summaries = Vec::new();
        for tenant in &tenants {
            summaries.push(self.summary(*tenant).await?);
        }
        let mut summaries = summaries.into_iter();
        let value = payload.map_or(Value::Null, |payload| to_json(payload, &mut summaries));
        let outcome = if failed { CallOutcome::Failure(value) } else { CallOutcome::Ok(value) };
        Ok((outcome, tenants.pop()))
    }

    fn function(&mut self, interface: &str, function: &str) -> Option<Func> {
        let name = format!("{PACKAGE}/{interface}@{VERSION}");
        let interface = self.instance.get_export_index(&mut self.store, None, &name)?;
        let function = self.instance.get_export_index(&mut self.store, Some(&interface), function)?;
        self.instance.get_func(&mut self.store, function)
    }

    async fn invoke(&mut self, function: Func, given: &[Val]) -> Result<Val> {
        let mut results = vec![Val::Bool(false); function.ty(&self.store).results().len()];
        function.call_async(&mut self.store, given, &mut results).await?;
        Ok(results.pop().unwrap_or(Val::Result(Ok(None))))
    }

    async fn summary(&mut self, tenant: ResourceAny) -> Result<Value> {
        let function = self
            .function("tenants", "[method]tenant.summary")
            .context("the component lacks tenant.summary")?;
        let summary = self.invoke(function, &[Val::Resource(tenant)]).await?;
        Ok(to_json(summary, &mut std::iter::empty()))
    }
}

/// Converts JSON to wasmtime's value of a type.
fn to_val(ty: &Type, value: &Value, tenant: Option<ResourceAny>) -> Result<Val> {
    let invalid = || format!("invalid argument {value}: expected {ty:?}");
    Ok(match ty {
        Type::Bool => Val::Bool(value.as_bool().with_context(invalid)?),
        Type::U8 => Val::U8(to_number(value).with_context(invalid)?),
        Type::U16 => Val::U16(to_number(value).with_context(invalid)?),
        Type::U32 => Val::U32(to_number(value).with_context(invalid)?),
        Type::U64 => Val::U64(to_number(value).with_context(invalid)?),
        Type::String => Val::String(value.as_str().with_context(invalid)?.to_owned()),
        Type::Enum(_) => Val::Enum(value.as_str().with_context(invalid)?.to_owned()),
        Type::Option(_) if value.is_null() => Val::Option(None),
        Type::Option(some) => Val::Option(Some(Box::new(to_val(&some.ty(), value, tenant)?))),
        Type::List(list) => {
            let items = value.as_array().with_context(invalid)?.iter();
            Val::List(items.map(|item| to_val(&list.ty(), item, tenant)).collect::<Result<_>>()?)
        }
        Type::Record(record) => {
            let member = |field: wasmtime::component::types::Field<'_>| {
                let member = value.get(field.name).unwrap_or(&Value::Null);
                Ok((field.name.to_owned(), to_val(&field.ty, member, tenant)?))
            };
            Val::Record(record.fields().map(member).collect::<Result<_>>()?)
        }
        Type::Variant(variant) => {
            let tag = value["tag"].as_str().with_context(invalid)?;
            let case = variant.cases().find(|case| case.name == tag).with_context(invalid)?;
            let payload = case.ty.map(|ty| to_val(&ty, &value["val"], tenant)).transpose()?;
            Val::Variant(tag.to_owned(), payload.map(Box::new))
        }
        Type::Borrow(_) | Type::Own(_) => {
            Val::Resource(tenant.context("missing tenant: call `tenants.open` first")?)
        }
        other => bail!("unsupported parameter type {other:?}"),
    })
}

fn to_number<T: TryFrom<u64>>(value: &Value) -> Option<T> {
    T::try_from(value.as_u64()?).ok()
}

/// Converts a value to JSON, with the next summary in place of each tenant.
fn to_json(value: Val, summaries: &mut impl Iterator<Item = Value>) -> Value {
    match value {
        Val::Bool(value) => value.into(),
        Val::U8(value) => value.into(),
        Val::U16(value) => value.into(),
        Val::U32(value) => value.into(),
        Val::U64(value) => value.into(),
        Val::S32(value) => value.into(),
        Val::S64(value) => value.into(),
        Val::Float64(value) => Number::from_f64(value).map_or(Value::Null, Value::Number),
        Val::String(value) | Val::Enum(value) => value.into(),
        Val::List(values) | Val::Tuple(values) => {
            values.into_iter().map(|value| to_json(value, summaries)).collect()
        }
        Val::Record(members) => {
            let members = members.into_iter().map(|(name, value)| (name, to_json(value, summaries)));
            Value::Object(members.collect::<Map<_, _>>())
        }
        Val::Variant(tag, payload) => {
            json!({"tag": tag, "val": payload.map(|payload| to_json(*payload, summaries))})
        }
        Val::Option(value) => value.map_or(Value::Null, |value| to_json(*value, summaries)),
        Val::Resource(_) => summaries.next().unwrap_or(Value::Null),
        other => Value::String(format!("{other:?}")),
    }
}

/// Collects the tenants of a value, in order.
fn find_tenants(value: &Val, tenants: &mut Vec<ResourceAny>) {
    match value {
        Val::Resource(tenant) => tenants.push(*tenant),
        Val::List(values) | Val::Tuple(values) => {
            values.iter().for_each(|value| find_tenants(value, tenants));
        }
        Val::Record(members) => members.iter().for_each(|(_, value)| find_tenants(value, tenants)),
        Val::Option(Some(value)) | Val::Variant(_, Some(value)) => find_tenants(value, tenants),
        _ => {}
    }
}
