//! The dashboard as SVG.

use std::fmt::Write;

use super::{
    samples::Samples,
    widget::{Content, Graph, Series, Widget},
};

const COLUMN_WIDTH: f64 = 50.0;
const ROW_HEIGHT: f64 = 34.0;
const MARGIN: f64 = 6.0;
/// The height of a line of text.
const LINE_HEIGHT: f64 = 17.0;
/// The mean width of a character of text.
const CHARACTER_WIDTH: f64 = 6.2;

const PALETTE: [&str; 6] = ["#1f77b4", "#ff7f0e", "#2ca02c", "#8c564b", "#17becf", "#7f7f7f"];

/// A rectangle in pixels.
#[derive(Clone, Copy)]
struct Area {
    x: f64,
    y: f64,
    width: f64,
    height: f64,
}

/// The period that the picture shows, in milliseconds since the Unix epoch.
#[derive(Clone, Copy)]
struct Period {
    start_ms: i64,
    end_ms: i64,
}

/// Draws all widgets. Rows without a drawn widget are closed up.
pub(super) fn dashboard(widgets: &[Widget], samples: &Samples, start_ms: i64, end_ms: i64) -> String {
    let period = Period { start_ms, end_ms };
    let mut rows: Vec<(u64, u64)> = widgets.iter().map(|widget| (widget.y, widget.height)).collect();
    rows.sort_unstable();
    rows.dedup_by_key(|(y, _)| *y);
    let mut body = String::new();
    let mut top = MARGIN;
    for (y, _) in &rows {
        let row: Vec<&Widget> = widgets.iter().filter(|widget| widget.y == *y).collect();
        let height = row.iter().map(|widget| height(widget)).fold(0.0, f64::max);
        for widget in row {
            let area = Area {
                x: widget.x as f64 * COLUMN_WIDTH + MARGIN,
                y: top,
                width: widget.width as f64 * COLUMN_WIDTH - MARGIN,
                height: height - MARGIN,
            };
            match &widget.content {
                Content::Text(markdown) => text(&mut body, area, markdown),
                Content::LogTable(title) => empty(&mut body, area, title, "a query of the logs"),
                Content::Graph(shown) => graph(&mut body, area, shown, &shown.series(samples), period),
            }
        }
        top += height;
    }
    let width = 24.0 * COLUMN_WIDTH + MARGIN;
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {top}\" role=\"img\" \
         aria-label=\"The dashboard of the stack\">\n\
         <rect width=\"{width}\" height=\"{top}\" fill=\"#f2f3f3\"/>\n\
         <g font-family=\"Helvetica, Arial, sans-serif\" font-size=\"11\" fill=\"#16191f\">\n{body}</g>\n</svg>\n"
    )
}

fn height(widget: &Widget) -> f64 {
    match &widget.content {
        Content::Text(markdown) => {
            let width = widget.width as f64 * COLUMN_WIDTH - 4.0 * MARGIN;
            lines(markdown, width).len() as f64 * LINE_HEIGHT + 4.0 * MARGIN
        }
        Content::LogTable(_) => 2.0 * ROW_HEIGHT,
        Content::Graph(_) => widget.height as f64 * ROW_HEIGHT,
    }
}

fn panel(body: &mut String, area: Area) {
    let Area { x, y, width, height } = area;
    // A `String` takes any text, here and below.
    let _ = writeln!(
        body,
        "<rect x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" rx=\"3\" fill=\"#fff\" stroke=\"#d5dbdb\"/>"
    );
}

fn label(body: &mut String, (x, y): (f64, f64), attributes: &str, content: &str) {
    let content = content.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let _ = writeln!(body, "<text x=\"{x:.1}\" y=\"{y:.1}\" {attributes}>{content}</text>");
}

/// The lines of a Markdown text without its marks, and whether each is a heading.
fn lines(markdown: &str, width: f64) -> Vec<(bool, String)> {
    let max_chars = (width / CHARACTER_WIDTH) as usize;
    let mut lines = Vec::new();
    for paragraph in markdown.lines() {
        let is_heading = paragraph.starts_with('#');
        let plain = paragraph.trim_start_matches(['#', ' ']).replace("**", "").replace(['`', '*'], "");
        let mut line = String::new();
        for word in plain.split(' ') {
            if line.len() + word.len() > max_chars {
                lines.push((is_heading, std::mem::take(&mut line)));
            }
            line.push_str(word);
            line.push(' ');
        }
        lines.push((is_heading, line));
    }
    lines
}

fn text(body: &mut String, area: Area, markdown: &str) {
    panel(body, area);
    for (number, (is_heading, line)) in lines(markdown, area.width - 3.0 * MARGIN).iter().enumerate() {
        let attributes = if *is_heading { "font-size=\"14\" font-weight=\"bold\"" } else { "" };
        let y = area.y + (number as f64 + 1.0) * LINE_HEIGHT + MARGIN;
        label(body, (area.x + 2.0 * MARGIN, y), attributes, line.trim_end());
    }
}

fn graph(body: &mut String, area: Area, graph: &Graph, series: &[Series], period: Period) {
    if series.is_empty() {
        return empty(body, area, &graph.title, "no samples in this run");
    }
    panel(body, area);
    label(body, (area.x + 10.0, area.y + 18.0), "font-weight=\"bold\"", &graph.title);
    let plot =
        Area { x: area.x + 44.0, y: area.y + 30.0, width: area.width - 58.0, height: area.height - 86.0 };
    let values = series.iter().flat_map(|series| &series.points).map(|(_, value)| *value);
    let highest = values.chain(graph.limits.iter().map(|(_, value)| *value)).fold(1.0, f64::max);
    let x = |at_ms: i64| {
        let share = (at_ms - period.start_ms) as f64 / (period.end_ms - period.start_ms) as f64;
        plot.x + plot.width * share.clamp(0.0, 1.0)
    };
    let y = |value: f64| plot.y + plot.height * (1.0 - value / highest);
    axes(body, plot, highest, period, x);
    for (name, value) in &graph.limits {
        line(
            body,
            &[(plot.x, y(*value)), (plot.x + plot.width, y(*value))],
            "#d62728",
            " stroke-dasharray=\"5 3\"",
        );
        label(body, (plot.x + 4.0, y(*value) + 12.0), "fill=\"#d62728\" font-size=\"10\"", name);
    }
    let mut legend = (area.x + 10.0, area.y + area.height - 28.0);
    for (number, series) in series.iter().enumerate() {
        let color = series.color.as_deref().unwrap_or(PALETTE[number % PALETTE.len()]);
        let points: Vec<_> = series.points.iter().map(|(at_ms, value)| (x(*at_ms), y(*value))).collect();
        line(body, &points, color, "");
        for (x, y) in &points {
            let _ = writeln!(body, "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"1.6\" fill=\"{color}\"/>");
        }
        let width = 22.0 + series.label.chars().count() as f64 * 5.2;
        if legend.0 + width > area.x + area.width {
            legend = (area.x + 10.0, legend.1 + 16.0);
        }
        let _ = writeln!(
            body,
            "<rect x=\"{:.1}\" y=\"{:.1}\" width=\"9\" height=\"9\" fill=\"{color}\"/>",
            legend.0,
            legend.1 - 8.0
        );
        label(body, (legend.0 + 12.0, legend.1), "font-size=\"10\"", &series.label);
        legend.0 += width;
    }
}

/// A widget without a graph.
fn empty(body: &mut String, area: Area, title: &str, reason: &str) {
    panel(body, area);
    label(body, (area.x + 10.0, area.y + 18.0), "font-weight=\"bold\"", title);
    let middle = (area.x + area.width / 2.0, area.y + area.height / 2.0 + 6.0);
    label(body, middle, "text-anchor=\"middle\" fill=\"#879596\"", reason);
}

fn axes(body: &mut String, plot: Area, highest: f64, period: Period, x: impl Fn(i64) -> f64) {
    for (share, value) in [(0.0, highest), (0.5, highest / 2.0), (1.0, 0.0)] {
        let y = plot.y + plot.height * share;
        line(body, &[(plot.x, y), (plot.x + plot.width, y)], "#eaeded", "");
        label(
            body,
            (plot.x - 5.0, y + 4.0),
            "text-anchor=\"end\" font-size=\"10\" fill=\"#545b64\"",
            &number(value),
        );
    }
    let step = 3 * 3_600_000;
    let mut at_ms = period.start_ms;
    while at_ms <= period.end_ms {
        let time = jiff::Timestamp::from_millisecond(at_ms).unwrap_or_default();
        let position = (x(at_ms), plot.y + plot.height + 14.0);
        let attributes = "text-anchor=\"middle\" font-size=\"10\" fill=\"#545b64\"";
        label(body, position, attributes, &time.strftime("%H:%M").to_string());
        at_ms += step;
    }
}

fn number(value: f64) -> String {
    if value >= 1_000.0 {
        format!("{:.1}k", value / 1_000.0)
    } else if value.fract() == 0.0 {
        format!("{value:.0}")
    } else {
        format!("{value:.1}")
    }
}

fn line(body: &mut String, points: &[(f64, f64)], color: &str, attributes: &str) {
    let points: Vec<_> = points.iter().map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
    let _ = writeln!(
        body,
        "<polyline points=\"{}\" fill=\"none\" stroke=\"{color}\" stroke-width=\"1.4\"{attributes}/>",
        points.join(" ")
    );
}
