//! A strict reader of Prometheus text format 0.0.4, with the rules of naming that `promtool check metrics` asks for.

use std::collections::BTreeMap;

/// All metrics of one scrape.
#[derive(Debug)]
pub(crate) struct Page {
    pub(crate) families: Vec<Family>,
}

/// One metric with all its samples.
#[derive(Debug)]
pub(crate) struct Family {
    pub(crate) name: String,
    pub(crate) kind: String,
    pub(crate) samples: Vec<Sample>,
}

/// One line with a value.
#[derive(Debug, PartialEq)]
pub(crate) struct Sample {
    pub(crate) name: String,
    pub(crate) labels: BTreeMap<String, String>,
    /// As it was written.
    pub(crate) number: String,
    pub(crate) value: f64,
}

impl Sample {
    /// The value, which must be a whole number.
    fn count(&self) -> u64 {
        let whole = self.number.strip_suffix(".0").unwrap_or(&self.number);
        whole.parse().unwrap_or_else(|_| panic!("{} is no whole number: {}", self.name, self.number))
    }
}

impl Page {
    /// The names and types, in the order of the page.
    pub(crate) fn names(&self) -> Vec<(&str, &str)> {
        self.families.iter().map(|family| (family.name.as_str(), family.kind.as_str())).collect()
    }

    /// The metric with this name.
    pub(crate) fn family(&self, name: &str) -> &Family {
        let found = self.families.iter().find(|family| family.name == name);
        found.unwrap_or_else(|| panic!("no metric {name}"))
    }

    /// The value of the sample with exactly these labels.
    pub(crate) fn value(&self, name: &str, labels: &[(&str, &str)]) -> f64 {
        self.sample(name, labels).value
    }

    /// The same, where it must be a whole number.
    pub(crate) fn count(&self, name: &str, labels: &[(&str, &str)]) -> u64 {
        self.sample(name, labels).count()
    }

    fn sample(&self, name: &str, labels: &[(&str, &str)]) -> &Sample {
        let labels = owned(labels);
        let mut samples = self.families.iter().flat_map(|family| &family.samples);
        let found = samples.find(|sample| sample.name == name && sample.labels == labels);
        found.unwrap_or_else(|| panic!("no {name} with {labels:?}"))
    }
}

impl Family {
    /// Counts by the one label that each sample has.
    pub(crate) fn by(&self, label: &str) -> BTreeMap<&str, u64> {
        let is_only = |sample: &Sample| sample.labels.keys().collect::<Vec<_>>() == [label];
        assert!(self.samples.iter().all(is_only), "{} is by {label}", self.name);
        self.samples.iter().map(|sample| (sample.labels[label].as_str(), sample.count())).collect()
    }
}

fn owned(labels: &[(&str, &str)]) -> BTreeMap<String, String> {
    labels.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

/// Reads a page, or says which rule it breaks.
pub(crate) fn parse(text: &str) -> Result<Page, String> {
    let body = text.strip_suffix('\n').ok_or("the last line has no end")?;
    let mut families: Vec<Family> = Vec::new();
    let mut lines = body.split('\n').peekable();
    while let Some(line) = lines.next() {
        let family = declared(line, lines.next())?;
        if families.iter().any(|other| other.name == family.name) {
            return Err(format!("{} is declared twice", family.name));
        }
        families.push(family);
        let family = families.last_mut().expect("one was pushed");
        while let Some(line) = lines.next_if(|line| !line.starts_with('#')) {
            let sample = sample(line)?;
            if family.samples.iter().any(|other| other.name == sample.name && other.labels == sample.labels) {
                return Err(format!("twice the same sample: {line}"));
            }
            family.samples.push(sample);
        }
        check(family)?;
    }
    Ok(Page { families })
}

/// Reads `# HELP name help` and `# TYPE name type`.
fn declared(help: &str, kind: Option<&str>) -> Result<Family, String> {
    let wrong = || format!("HELP and TYPE expected, not {help:?} and {kind:?}");
    let (name, words) = help.strip_prefix("# HELP ").and_then(|rest| rest.split_once(' ')).ok_or_else(wrong)?;
    let (of, kind) =
        kind.and_then(|line| line.strip_prefix("# TYPE ")).and_then(|rest| rest.split_once(' ')).ok_or_else(wrong)?;
    if name != of || words.trim() != words || words.is_empty() || words.contains('\\') {
        return Err(wrong());
    }
    if !["counter", "gauge", "histogram"].contains(&kind) {
        return Err(format!("{name} has no known type: {kind}"));
    }
    Ok(Family { name: name.to_owned(), kind: kind.to_owned(), samples: Vec::new() })
}

/// Reads `name{label="value",…} number`.
fn sample(line: &str) -> Result<Sample, String> {
    let wrong = |what: &str| format!("{what}: {line:?}");
    let end = line.find(|letter: char| !is_name_letter(letter)).ok_or_else(|| wrong("no value"))?;
    let (name, mut rest) = line.split_at(end);
    let mut labels = BTreeMap::new();
    if let Some(inside) = rest.strip_prefix('{') {
        rest = inside;
        loop {
            let (label, after) = rest.split_once("=\"").ok_or_else(|| wrong("no label"))?;
            let (value, after) = quoted(after).ok_or_else(|| wrong("an open quote or a wrong escape"))?;
            if !is_name(label) || label.starts_with("__") || labels.insert(label.to_owned(), value).is_some() {
                return Err(wrong("a wrong label, or one twice"));
            }
            if let Some(after) = after.strip_prefix(',') {
                rest = after;
                continue;
            }
            rest = after.strip_prefix('}').ok_or_else(|| wrong("labels do not end"))?;
            break;
        }
    }
    let number = rest.strip_prefix(' ').ok_or_else(|| wrong("no space before the value"))?;
    // A time stamp behind the value would not be a number, nor would "inf" or "nan" be ours.
    if !is_name(name) || !number.starts_with(|letter: char| letter.is_ascii_digit()) {
        return Err(wrong("a wrong name or value"));
    }
    let value = number.parse().map_err(|_| wrong("no number"))?;
    Ok(Sample { name: name.to_owned(), labels, number: number.to_owned(), value })
}

/// Reads up to the closing quote; gives the text and what follows.
fn quoted(text: &str) -> Option<(String, &str)> {
    let (mut value, mut letters) = (String::new(), text.char_indices());
    while let Some((at, letter)) = letters.next() {
        match letter {
            '"' => return Some((value, &text[at + 1..])),
            '\\' => value.push(match letters.next()?.1 {
                'n' => '\n',
                same @ ('\\' | '"') => same,
                _ => return None,
            }),
            _ => value.push(letter),
        }
    }
    None
}

fn is_name_letter(letter: char) -> bool {
    letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '_'
}

fn is_name(name: &str) -> bool {
    name.chars().all(is_name_letter) && name.starts_with(|letter: char| letter.is_ascii_lowercase())
}

/// Words that a name must not have: units that are not base units, abbreviations, and types.
const BAD_WORDS: &[&str] = &[
    "ns",
    "us",
    "ms",
    "s",
    "sec",
    "secs",
    "second",
    "milliseconds",
    "microseconds",
    "nanoseconds",
    "minutes",
    "hours",
    "kb",
    "mb",
    "gb",
    "kib",
    "mib",
    "gib",
    "kilobytes",
    "kibibytes",
    "mebibytes",
    "byte",
    "bits",
    "percent",
    "counter",
    "gauge",
    "histogram",
    "number",
];

fn check(family: &Family) -> Result<(), String> {
    let Family { name, kind, samples } = family;
    let bad = name.split('_').find(|word| BAD_WORDS.contains(word));
    if !is_name(name) || bad.is_some() {
        return Err(format!("{name} is no good name: {bad:?}"));
    }
    if name.ends_with("_total") != (kind == "counter") {
        return Err(format!("{name} is a {kind}: counters, and only they, end with _total"));
    }
    if ["_bucket", "_count", "_sum"].iter().any(|suffix| name.ends_with(suffix)) {
        return Err(format!("{name} ends like a part of a histogram"));
    }
    if samples.is_empty() {
        return Err(format!("{name} has no sample"));
    }
    if kind == "histogram" {
        return check_histogram(family);
    }
    match samples.iter().find(|sample| sample.name != *name) {
        Some(stranger) => Err(format!("{} stands among the samples of {name}", stranger.name)),
        None => Ok(()),
    }
}

/// What follows the histogram's name, the bucket's bound if it is one, and the value.
type Part<'a> = (&'a str, Option<f64>, f64);

/// For each set of labels: `_sum`, `_count`, and buckets whose bounds rise, whose counts do not fall, the last of which
/// is `+Inf` and holds all.
fn check_histogram(family: &Family) -> Result<(), String> {
    let name = &family.name;
    let mut groups: BTreeMap<BTreeMap<String, String>, Vec<Part<'_>>> = BTreeMap::new();
    for sample in &family.samples {
        let part = sample.name.strip_prefix(name).ok_or_else(|| format!("{} stands in {name}", sample.name))?;
        let mut labels = sample.labels.clone();
        let bound = labels.remove("le").map(|bound| match bound.as_str() {
            "+Inf" => Ok(f64::INFINITY),
            number => number.parse().map_err(|_| format!("{name} has the bound {number}")),
        });
        groups.entry(labels).or_default().push((part, bound.transpose()?, sample.value));
    }
    for (labels, parts) in groups {
        let wrong = |what: &str| format!("{name}{labels:?}: {what}");
        let only = |part: &str| match parts.iter().filter(|(of, ..)| *of == part).collect::<Vec<_>>()[..] {
            [(_, None, value)] => Ok(*value),
            _ => Err(wrong(part)),
        };
        let (count, sum) = (only("_count")?, only("_sum")?);
        let buckets = parts.iter().filter(|(part, ..)| *part == "_bucket");
        let buckets = buckets.map(|(_, bound, value)| bound.map(|bound| (bound, *value)).ok_or_else(|| wrong("no le")));
        let buckets = buckets.collect::<Result<Vec<_>, _>>()?;
        if buckets.len() + 2 != parts.len() {
            return Err(wrong("a part that no histogram has"));
        }
        if !buckets.windows(2).all(|pair| pair[0].0 < pair[1].0 && pair[0].1 <= pair[1].1) {
            return Err(wrong("bounds do not rise, or counts fall"));
        }
        if buckets.last() != Some(&(f64::INFINITY, count)) {
            return Err(wrong("the last bucket is not all"));
        }
        if count == 0.0 && sum != 0.0 {
            return Err(wrong("a sum of nothing"));
        }
    }
    Ok(())
}

#[test]
fn the_reader_reads() {
    let page = parse(
        "# HELP a_total What it is.\n# TYPE a_total counter\na_total{of=\"x,\\\"}\\\\\\n\",b=\"\"} 3\n\
         # HELP b_seconds Why.\n# TYPE b_seconds histogram\nb_seconds_sum 1.5\nb_seconds_count 2\n\
         b_seconds_bucket{le=\"1e-6\"} 1\nb_seconds_bucket{le=\"+Inf\"} 2\n",
    )
    .unwrap();
    assert_eq!(page.names(), [("a_total", "counter"), ("b_seconds", "histogram")]);
    assert_eq!(page.count("a_total", &[("of", "x,\"}\\\n"), ("b", "")]), 3);
    assert_eq!(page.count("b_seconds_bucket", &[("le", "1e-6")]), 1);
}

#[test]
fn the_reader_is_strict() {
    let gauge = |samples: &str| format!("# HELP a_bytes What.\n# TYPE a_bytes gauge\n{samples}");
    let histogram = |samples: &str| format!("# HELP a_bytes What.\n# TYPE a_bytes histogram\n{samples}");
    parse(&gauge("a_bytes 1\n")).unwrap();
    parse(&histogram("a_bytes_sum 1\na_bytes_count 1\na_bytes_bucket{le=\"+Inf\"} 1\n")).unwrap();
    let wrong = [
        gauge("a_bytes 1"),
        gauge(""),
        gauge("a_bytes 1\n\n"),
        gauge("a_bytes 1\r\n"),
        gauge("a_bytes\n"),
        gauge("a_bytes  1\n"),
        gauge("a_bytes 1 1700000000000\n"),
        gauge("a_bytes NaN\n"),
        gauge("a_bytes -1\n"),
        gauge("b_bytes 1\n"),
        gauge("a_bytes 1\na_bytes 1\n"),
        gauge("a_bytes{x=\"1\",x=\"2\"} 1\n"),
        gauge("a_bytes{x=\"1\" 1\n"),
        gauge("a_bytes{x=\"\\t\"} 1\n"),
        gauge("a_bytes{x=1} 1\n"),
        gauge("a_bytes{} 1\n"),
        gauge("a_bytes 1\n") + &gauge("a_bytes{x=\"1\"} 1\n"),
        gauge("a_bytes 1\n") + "# EOF\n",
        "a_bytes 1\n".to_owned(),
        "# TYPE a_bytes gauge\n# HELP a_bytes What.\na_bytes 1\n".to_owned(),
        "# HELP a_bytes What.\n# TYPE a_bytes untyped\na_bytes 1\n".to_owned(),
        "# HELP a_total What.\n# TYPE a_total gauge\na_total 1\n".to_owned(),
        "# HELP a_bytes What.\n# TYPE a_bytes counter\na_bytes 1\n".to_owned(),
        "# HELP a What.\n# TYPE a counter\na_total 1\n".to_owned(),
        "# HELP a_ms What.\n# TYPE a_ms gauge\na_ms 1\n".to_owned(),
        "# HELP a_count What.\n# TYPE a_count gauge\na_count 1\n".to_owned(),
        histogram("a_bytes_sum 1\na_bytes_count 1\n"),
        histogram("a_bytes_count 1\na_bytes_bucket{le=\"+Inf\"} 1\n"),
        histogram("a_bytes_sum 1\na_bytes_count 2\na_bytes_bucket{le=\"+Inf\"} 1\n"),
        histogram("a_bytes_sum 1\na_bytes_count 1\na_bytes_bucket{le=\"1\"} 1\n"),
        histogram("a_bytes_sum 1\na_bytes_count 1\na_bytes_bucket{le=\"1\"} 2\na_bytes_bucket{le=\"+Inf\"} 1\n"),
        histogram(
            "a_bytes_sum 1\na_bytes_count 1\na_bytes_bucket{le=\"2\"} 0\na_bytes_bucket{le=\"1\"} 0\n\
             a_bytes_bucket{le=\"+Inf\"} 1\n",
        ),
        histogram("a_bytes_sum 1\na_bytes_count 1\na_bytes_bucket{le=\"+Inf\"} 1\na_bytes 1\n"),
    ];
    for text in wrong {
        assert!(parse(&text).is_err(), "passed:\n{text}");
    }
}
