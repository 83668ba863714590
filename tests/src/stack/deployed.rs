//! A deployed stack and its resources.

use std::{collections::BTreeMap, io};

use serde_json::Value;

/// A resource of a stack.
#[derive(Debug, Clone, PartialEq)]
pub struct DeployedResource {
    /// The type, such as `AWS::SQS::Queue`.
    pub resource_type: String,
    /// The result of `Ref`: a name, an ARN or a URL.
    pub physical_id: String,
    /// The properties, with all intrinsic functions resolved.
    pub properties: Value,
    /// Whether the emulator implements the resource, not only its name.
    pub is_emulated: bool,
    /// The properties that the emulator ignores.
    pub ignored_properties: Vec<String>,
}

/// A deployed stack with its nested stacks.
#[derive(Debug, Clone, PartialEq)]
pub struct DeployedStack {
    /// The outputs.
    pub outputs: BTreeMap<String, String>,
    /// The resources by their names in the templates.
    pub resources: BTreeMap<String, DeployedResource>,
}

impl DeployedStack {
    /// Parses the emulator's description of its stacks.
    pub(super) fn parse(stacks: &Value, name: &str) -> io::Result<Self> {
        let all = || stacks.as_array().into_iter().flatten();
        let own = all().find(|stack| stack["Name"] == name);
        let own = own.ok_or_else(|| io::Error::other(format!("unknown stack {name}")))?;
        let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let members = |value: &Value| value.as_object().cloned().unwrap_or_default().into_iter();
        let outputs = members(&own["Outputs"]).map(|(name, value)| (name, text(&value))).collect();
        let mut resources = BTreeMap::new();
        // The name of a nested stack starts with that of its parent.
        let within = format!("{name}-");
        for stack in all().filter(|stack| {
            stack["Name"] == name || stack["Name"].as_str().is_some_and(|other| other.starts_with(&within))
        }) {
            for (name, value) in members(&stack["Resources"]) {
                let ignored = value["IgnoredProperties"].as_array().into_iter().flatten();
                let resource = DeployedResource {
                    resource_type: text(&value["Type"]),
                    physical_id: value["Id"].as_str().unwrap_or_default().to_owned(),
                    is_emulated: value["Emulated"] == true,
                    ignored_properties: ignored.map(text).collect(),
                    properties: value["Properties"].clone(),
                };
                resources.insert(name, resource);
            }
        }
        Ok(Self { outputs, resources })
    }

    /// The value of an output.
    ///
    /// # Errors
    /// When the stack has no such output; the error lists the names.
    pub fn output(&self, name: &str) -> io::Result<&str> {
        let known = || self.outputs.keys().cloned().collect::<Vec<_>>().join(", ");
        let output = self.outputs.get(name).map(String::as_str);
        output.ok_or_else(|| io::Error::other(format!("unknown output {name}: expected one of {}", known())))
    }

    /// A resource by its name.
    ///
    /// # Errors
    /// When the templates have no such resource.
    pub fn resource(&self, name: &str) -> io::Result<&DeployedResource> {
        self.resources.get(name).ok_or_else(|| io::Error::other(format!("unknown resource {name}")))
    }

    /// All resources of a type, with their names in the templates.
    pub fn resources_of_type<'s>(
        &'s self,
        kind: &'s str,
    ) -> impl Iterator<Item = (&'s str, &'s DeployedResource)> + 's {
        let all = self.resources.iter().map(|(name, resource)| (name.as_str(), resource));
        all.filter(move |(_, resource)| resource.resource_type == kind)
    }

    /// The name of the function behind a public URL.
    pub(super) fn function_behind_url(&self, url: &str) -> io::Result<String> {
        let host = url.split('/').nth(2).unwrap_or_default();
        let id = host.split('.').next().unwrap_or_default();
        let api = self.resources_of_type("AWS::ApiGatewayV2::Api").find(|(_, api)| api.physical_id == id);
        let (_, api) = api
            .ok_or_else(|| io::Error::other(format!("unknown URL {url}: no resource of the stack has it")))?;
        function_name(&api.properties.to_string())
    }
}

/// The name in the first function ARN of a text.
pub(super) fn function_name(text: &str) -> io::Result<String> {
    let rest = text.split_once(":function:").map(|(_, rest)| rest);
    let name = rest.map(|rest| rest.chars().take_while(|c| c.is_ascii_alphanumeric() || "-_".contains(*c)));
    let name = name.map(String::from_iter).filter(|name| !name.is_empty());
    name.ok_or_else(|| io::Error::other("missing ARN of a function"))
}
