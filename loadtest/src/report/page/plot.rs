//! A chart as SVG: lines or stacked areas over two axes, a legend, and a tooltip for each stretch of the bottom edge.

use super::axis::Axis;
use super::markup::{escape, put};

/// Size of a chart in its own units; the page stretches it to its width.
const WIDTH: f64 = 900.0;
const HEIGHT: f64 = 260.0;
const LEFT: f64 = 68.0;
const RIGHT: f64 = 30.0;
const TOP: f64 = 10.0;
const BOTTOM: f64 = 26.0;

/// Narrower than this, the warm-up has no room for its name.
const WARM_UP_WIDTH_MIN: f64 = 60.0;

/// A curve or an area. A value of `None` is a gap.
#[derive(Clone, Debug)]
pub(super) struct Line {
    /// For the legend.
    pub(super) name: String,
    /// Colour and stroke: a class of `style.css`.
    pub(super) class: &'static str,
    /// Places and values.
    pub(super) points: Vec<(f64, Option<f64>)>,
}

/// A stretch of the bottom edge and what is said when the mouse is over it.
#[derive(Clone, Debug)]
pub(super) struct Hover {
    /// Its beginning.
    pub(super) from: f64,
    /// Its end.
    pub(super) until: f64,
    /// Lines of text.
    pub(super) text: String,
}

/// A chart.
#[derive(Clone, Debug)]
pub(super) struct Plot {
    /// What it shows, for those who cannot see it.
    pub(super) about: String,
    /// The bottom edge.
    pub(super) x: Axis,
    /// The left edge.
    pub(super) y: Axis,
    /// What is drawn, the first one lowest.
    pub(super) lines: Vec<Line>,
    /// Whether lines are stacked as areas with steps from one place to the next, instead of drawn as curves.
    pub(super) is_stacked: bool,
    /// From 0 to here is the warm-up.
    pub(super) shaded_until: f64,
    /// The tooltips.
    pub(super) hovers: Vec<Hover>,
}

impl Plot {
    /// The legend and the chart.
    pub(super) fn html(&self) -> String {
        let mut html = String::from("<p class=\"legend\">");
        for line in self.lines.iter().filter(|line| line.points.iter().any(|(_, value)| value.is_some())) {
            let (class, name) = (line.class, escape(&line.name));
            let key = if self.is_stacked {
                format!("<rect class=\"area {class}\" width=\"22\" height=\"10\"></rect>")
            } else {
                format!("<path class=\"line {class}\" d=\"M0 5H22\"></path>")
            };
            put(&mut html, format_args!("<span><svg class=\"key\" viewBox=\"0 0 22 10\">{key}</svg>{name}</span> "));
        }
        let about = escape(&self.about);
        html.push_str("</p>\n");
        put(&mut html, format_args!("<svg role=\"img\" aria-label=\"{about}\" viewBox=\"0 0 {WIDTH} {HEIGHT}\">\n"));
        self.draw_ground(&mut html);
        if self.is_stacked {
            self.draw_areas(&mut html);
        } else {
            self.draw_curves(&mut html);
        }
        for hover in &self.hovers {
            let (from, until) = (self.across(hover.from), self.across(hover.until));
            let (width, height, text) = ((until - from).max(0.5), HEIGHT - TOP - BOTTOM, escape(&hover.text));
            put(
                &mut html,
                format_args!(
                    "<rect class=\"hover\" x=\"{from:.1}\" y=\"{TOP}\" width=\"{width:.1}\" height=\"{height}\">\
                     <title>{text}</title></rect>\n"
                ),
            );
        }
        html.push_str("</svg>\n");
        html
    }

    fn draw_ground(&self, html: &mut String) {
        let (right, bottom) = (WIDTH - RIGHT, HEIGHT - BOTTOM);
        if self.shaded_until > 0.0 {
            let (width, height) = (self.across(self.shaded_until) - LEFT, bottom - TOP);
            put(
                html,
                format_args!(
                    "<rect class=\"shade\" x=\"{LEFT}\" y=\"{TOP}\" width=\"{width:.1}\" height=\"{height}\">\
                     <title>warm-up: not measured</title></rect>\n"
                ),
            );
            if width >= WARM_UP_WIDTH_MIN {
                let (at, baseline) = (LEFT + width / 2.0, TOP + 14.0);
                put(html, format_args!("<text class=\"middle\" x=\"{at:.1}\" y=\"{baseline}\">warm-up</text>\n"));
            }
        }
        for (value, text) in &self.y.ticks {
            let (at, text) = (self.up(*value), escape(text));
            let (edge, baseline) = (LEFT - 8.0, at + 4.0);
            put(html, format_args!("<path class=\"grid\" d=\"M{LEFT} {at:.1}H{right}\"></path>"));
            put(html, format_args!("<text class=\"end\" x=\"{edge}\" y=\"{baseline:.1}\">{text}</text>\n"));
        }
        for (value, text) in &self.x.ticks {
            let (at, text) = (self.across(*value), escape(text));
            let baseline = bottom + 18.0;
            put(html, format_args!("<path class=\"grid\" d=\"M{at:.1} {TOP}V{bottom}\"></path>"));
            put(html, format_args!("<text class=\"middle\" x=\"{at:.1}\" y=\"{baseline}\">{text}</text>\n"));
        }
    }

    fn draw_curves(&self, html: &mut String) {
        for line in &self.lines {
            let mut path = String::new();
            let mut is_down = false;
            for (index, (place, value)) in line.points.iter().enumerate() {
                let Some(value) = value else {
                    is_down = false;
                    continue;
                };
                let (x, y) = (self.across(*place), self.up(*value));
                put(&mut path, format_args!("{}{x:.1} {y:.1}", if is_down { 'L' } else { 'M' }));
                // A value between two gaps would not be seen.
                if !is_down && line.points.get(index + 1).is_none_or(|(_, next)| next.is_none()) {
                    path.push_str("h1");
                }
                is_down = true;
            }
            if !path.is_empty() {
                put(html, format_args!("<path class=\"line {}\" d=\"{path}\"></path>\n", line.class));
            }
        }
    }

    /// Each value holds from its place to the next one.
    fn draw_areas(&self, html: &mut String) {
        let mut floors = vec![0.0; self.lines.iter().map(|line| line.points.len()).max().unwrap_or(0)];
        for line in &self.lines {
            let (mut ceiling, mut floor) = (String::new(), Vec::new());
            for (index, (place, value)) in line.points.iter().enumerate() {
                let until = line.points.get(index + 1).map_or(self.x.high(), |(next, _)| *next);
                let (from, until) = (self.across(*place), self.across(until));
                let below = floors[index];
                floors[index] = below + value.unwrap_or(0.0);
                put(&mut ceiling, format_args!("L{from:.1} {y:.1}H{until:.1}", y = self.up(floors[index])));
                floor.push(format!("L{until:.1} {y:.1}H{from:.1}", y = self.up(below)));
            }
            if let Some(start) = ceiling.get(1..).filter(|_| line.points.iter().any(|(_, value)| value.is_some())) {
                let floor = floor.into_iter().rev().collect::<String>();
                put(html, format_args!("<path class=\"area {}\" d=\"M{start}{floor}Z\"></path>\n", line.class));
            }
        }
    }

    fn across(&self, value: f64) -> f64 {
        LEFT + self.x.share(value) * (WIDTH - LEFT - RIGHT)
    }

    fn up(&self, value: f64) -> f64 {
        HEIGHT - BOTTOM - self.y.share(value) * (HEIGHT - TOP - BOTTOM)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plot(lines: Vec<Line>, is_stacked: bool) -> String {
        let (x, y) = (Axis::seconds(4.0), Axis::linear(10.0, |value| value.to_string()));
        let hovers = vec![Hover { from: 0.0, until: 1.0, text: "a < b".to_owned() }];
        Plot { about: "test".to_owned(), x, y, lines, is_stacked, shaded_until: 1.0, hovers }.html()
    }

    fn line(values: &[Option<f64>]) -> Line {
        let points = (0_u32..).zip(values).map(|(place, value)| (f64::from(place), *value)).collect();
        Line { name: "n & m".to_owned(), class: "c0", points }
    }

    #[test]
    fn a_gap_lifts_the_pen_and_a_lone_value_is_seen() {
        let html = plot(vec![line(&[Some(0.0), Some(10.0), None, Some(5.0), None])], false);
        assert!(html.contains("d=\"M68.0 234.0L268.5 10.0M669.5 122.0h1\""), "{html}");
        assert!(html.contains("n &amp; m") && html.contains("<title>a &lt; b</title>"), "{html}");
        assert!(html.contains("warm-up"));
    }

    #[test]
    fn areas_stand_on_each_other() {
        let html = plot(vec![line(&[Some(5.0), Some(2.5)]), line(&[Some(5.0), None])], true);
        let (first, second) = html.split_once("Z\"").unwrap();
        assert!(first.contains("M68.0 122.0H268.5L268.5 178.0H870.0L870.0 234.0H268.5L268.5 234.0H68.0"), "{first}");
        assert!(second.contains("M68.0 10.0H268.5L268.5 178.0H870.0L870.0 178.0H268.5L268.5 122.0H68.0"), "{second}");
    }

    #[test]
    fn a_line_without_values_is_neither_drawn_nor_in_the_legend() {
        for is_stacked in [false, true] {
            let html = plot(vec![line(&[None, None])], is_stacked);
            assert!(!html.contains("n &amp; m") && !html.contains("class=\"line") && !html.contains("class=\"area"));
        }
    }
}
