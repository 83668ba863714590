//! The widgets of the dashboard's definition, and the samples that they show.

use std::{collections::BTreeMap, error::Error};

use serde_json::Value;

use super::samples::{Sample, Samples};

/// A widget that the picture shows. `x`, `width` and `height` are in the grid of CloudWatch,
/// which has 24 columns.
#[derive(Debug)]
pub(super) struct Widget {
    pub(super) x: u64,
    pub(super) y: u64,
    pub(super) width: u64,
    pub(super) height: u64,
    pub(super) content: Content,
}

#[derive(Debug)]
pub(super) enum Content {
    Text(String),
    Graph(Graph),
    /// The title of a query of the logs.
    LogTable(String),
}

/// A graph of metrics.
#[derive(Debug)]
pub(super) struct Graph {
    pub(super) title: String,
    /// Horizontal lines: the label and the value.
    pub(super) limits: Vec<(String, f64)>,
    period_ms: i64,
    metrics: Vec<Metric>,
}

#[derive(Debug)]
struct Metric {
    namespace: String,
    name: String,
    dimensions: BTreeMap<String, String>,
    /// A search has one series for each value of this dimension, or one for all.
    search: Option<Search>,
    label: String,
    color: Option<String>,
    stat: String,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Search {
    BySource,
    Sum,
}

/// The points of a metric: the time and the value.
#[derive(Debug)]
pub(super) struct Series {
    pub(super) label: String,
    pub(super) color: Option<String>,
    pub(super) points: Vec<(i64, f64)>,
}

/// Parses the template. The list of alarms is left out: it needs CloudWatch.
pub(super) fn parse(template: &str) -> Result<Vec<Widget>, Box<dyn Error>> {
    let body = template.split_once("DashboardBody: !Sub |\n").ok_or("the template has no dashboard")?.1;
    let lines = body.lines().take_while(|line| line.starts_with("        "));
    let body: Value = serde_json::from_str(&resolve(&lines.collect::<Vec<_>>().join("\n")))?;
    let widgets = body["widgets"].as_array().ok_or("the dashboard has no widgets")?;
    Ok(widgets.iter().filter_map(widget).collect())
}

/// Replaces the parameters of the template. Those without a value here stand for themselves.
fn resolve(body: &str) -> String {
    let values = [
        ("Stack", "sophos"),
        ("Namespace", "SophosCentral"),
        ("FreshnessLimit", "3600"),
        ("ExportFunction", "alert-export"),
        ("WebhookFunction", "isolation-webhook"),
        ("WorkerFunction", "isolation-worker"),
        ("RotationFunction", "credential-rotation"),
        ("ApiId", super::samples::API_ID),
    ];
    let body = values
        .iter()
        .fold(body.to_owned(), |body, (name, value)| body.replace(&format!("${{{name}}}"), value));
    body.replace("${!PROP('Dim.Source')}", "")
}

fn widget(value: &Value) -> Option<Widget> {
    let properties = &value["properties"];
    let content = match value["type"].as_str()? {
        "text" => Content::Text(properties["markdown"].as_str()?.to_owned()),
        "metric" => Content::Graph(graph(properties)?),
        "log" => Content::LogTable(properties["title"].as_str()?.to_owned()),
        _ => return None,
    };
    let number = |name: &str| value[name].as_u64();
    let (x, y) = (number("x")?, number("y")?);
    Some(Widget { x, y, width: number("width")?, height: number("height")?, content })
}

fn graph(properties: &Value) -> Option<Graph> {
    let stat = properties["stat"].as_str().unwrap_or("Sum");
    let limits = properties["annotations"]["horizontal"].as_array().map(Vec::as_slice).unwrap_or_default();
    Some(Graph {
        title: properties["title"].as_str()?.to_owned(),
        period_ms: properties["period"].as_i64()? * 1_000,
        limits: limits
            .iter()
            .filter_map(|limit| Some((limit["label"].as_str()?.to_owned(), limit["value"].as_f64()?)))
            .collect(),
        metrics: properties["metrics"].as_array()?.iter().filter_map(|item| metric(item, stat)).collect(),
    })
}

fn metric(item: &Value, stat: &str) -> Option<Metric> {
    let parts = item.as_array()?;
    let options = parts.last().filter(|last| last.is_object()).cloned().unwrap_or_default();
    let option = |name: &str| options[name].as_str().map(str::to_owned);
    let texts: Vec<&str> = parts.iter().filter_map(Value::as_str).collect();
    let (namespace, name, dimensions, search) = match (option("expression"), texts.as_slice()) {
        (Some(expression), _) => {
            let name = expression.split("MetricName=\"").nth(1)?.split('"').next()?.to_owned();
            let search = if expression.starts_with("SUM(") { Search::Sum } else { Search::BySource };
            ("SophosCentral".to_owned(), name, BTreeMap::new(), Some(search))
        }
        (None, [namespace, name, rest @ ..]) => {
            let pairs = rest.chunks_exact(2).map(|pair| (pair[0].to_owned(), pair[1].to_owned()));
            ((*namespace).to_owned(), (*name).to_owned(), pairs.collect(), None)
        }
        _ => return None,
    };
    let label = option("label").unwrap_or_else(|| name.clone());
    let stat = option("stat").unwrap_or_else(|| stat.to_owned());
    Some(Metric { namespace, name, dimensions, search, label, color: option("color"), stat })
}

impl Graph {
    /// The series with points.
    pub(super) fn series(&self, samples: &Samples) -> Vec<Series> {
        self.metrics.iter().flat_map(|metric| metric.series(samples, self.period_ms)).collect()
    }
}

impl Metric {
    fn series(&self, samples: &Samples, period_ms: i64) -> Vec<Series> {
        let mut groups: BTreeMap<&str, Vec<&Sample>> = BTreeMap::new();
        for sample in &samples.0 {
            if sample.namespace != self.namespace || sample.metric != self.name {
                continue;
            }
            let source = sample.dimensions.get("Source").map_or("", String::as_str);
            match self.search {
                None if sample.dimensions == self.dimensions => groups.entry("").or_default().push(sample),
                Some(Search::BySource) => groups.entry(source).or_default().push(sample),
                Some(Search::Sum) => groups.entry("").or_default().push(sample),
                None => {}
            }
        }
        groups
            .into_iter()
            .map(|(group, samples)| Series {
                label: format!("{}{group}", self.label),
                color: self.color.clone(),
                points: self.points(&samples, period_ms),
            })
            .collect()
    }

    /// One point for each period with samples.
    fn points(&self, samples: &[&Sample], period_ms: i64) -> Vec<(i64, f64)> {
        let mut periods: BTreeMap<i64, f64> = BTreeMap::new();
        for sample in samples {
            let period = sample.at_ms.div_euclid(period_ms) * period_ms;
            let value = sample.value;
            let merge = |known: f64| match self.stat.as_str() {
                "Maximum" => known.max(value),
                "Minimum" => known.min(value),
                _ => known + value,
            };
            periods.entry(period).and_modify(|known| *known = merge(*known)).or_insert(value);
        }
        periods.into_iter().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn template_has_graphs_of_known_metrics() {
        let template = std::fs::read_to_string(crate::dashboard::template()).expect("the template");
        let widgets = parse(&template).expect("a dashboard");
        let graphs: Vec<_> = widgets
            .iter()
            .filter_map(|widget| match &widget.content {
                Content::Graph(graph) => Some(graph),
                Content::Text(_) | Content::LogTable(_) => None,
            })
            .collect();
        assert!(graphs.len() > 10, "{graphs:?}");
        assert!(graphs.iter().all(|graph| !graph.metrics.is_empty()), "{graphs:?}");
    }
}
