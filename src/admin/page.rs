//! A page of metrics in Prometheus text format 0.0.4.

use std::fmt;

use prometheus_client::encoding::{DescriptorEncoder, EncodeGaugeValue, NoLabelSet};
use prometheus_client::metrics::MetricType;

use super::scale::Shown;

/// Where metrics are written, one after the other.
///
/// The encoder speaks a newer format, where a counter is declared without its suffix and the value's line gets `_total`
/// appended. In format 0.0.4 both lines have the whole name: so counters are declared as such and their values written
/// like those of gauges. All else that is used here is the same in both formats.
pub(super) struct Page<'a> {
    encoder: DescriptorEncoder<'a>,
}

impl<'a> Page<'a> {
    pub(super) fn new(encoder: DescriptorEncoder<'a>) -> Self {
        Self { encoder }
    }

    pub(super) fn gauge(&mut self, name: &str, help: &str, value: impl EncodeGaugeValue + Copy) -> fmt::Result {
        self.encoder.encode_descriptor(name, help, None, MetricType::Gauge)?.encode_gauge(&value)
    }

    pub(super) fn counter(&mut self, name: &str, help: &str, value: impl EncodeGaugeValue + Copy) -> fmt::Result {
        self.encoder.encode_descriptor(name, help, None, MetricType::Counter)?.encode_gauge(&value)
    }

    /// One counter for each value of a label.
    pub(super) fn counters(
        &mut self,
        name: &str,
        help: &str,
        label: &str,
        values: impl Iterator<Item = (String, u64)>,
    ) -> fmt::Result {
        let mut metric = self.encoder.encode_descriptor(name, help, None, MetricType::Counter)?;
        for (of, value) in values {
            metric.encode_family(&[(label, of)])?.encode_gauge(&value)?;
        }
        Ok(())
    }

    /// A counter for each pair of values of two labels.
    pub(super) fn counters_by_two(
        &mut self,
        name: &str,
        help: &str,
        labels: [&str; 2],
        values: impl Iterator<Item = (&'static str, String, u64)>,
    ) -> fmt::Result {
        let mut metric = self.encoder.encode_descriptor(name, help, None, MetricType::Counter)?;
        for (one, other, value) in values {
            metric.encode_family(&[(labels[0], one.to_owned()), (labels[1], other)])?.encode_gauge(&value)?;
        }
        Ok(())
    }

    /// Facts as labels; the value is 1.
    pub(super) fn info<const N: usize>(&mut self, name: &str, help: &str, facts: &[(&str, &str); N]) -> fmt::Result {
        let mut metric = self.encoder.encode_descriptor(name, help, None, MetricType::Gauge)?;
        metric.encode_family(facts)?.encode_gauge(&1_u64)
    }

    pub(super) fn histogram(&mut self, name: &str, help: &str, shown: &Shown) -> fmt::Result {
        let mut metric = self.encoder.encode_descriptor(name, help, None, MetricType::Histogram)?;
        metric.encode_histogram::<NoLabelSet>(shown.sum, shown.count, &shown.buckets, None)
    }

    /// One histogram for each value of a label.
    pub(super) fn histograms(&mut self, name: &str, help: &str, label: &str, shown: &[(&str, Shown)]) -> fmt::Result {
        let mut metric = self.encoder.encode_descriptor(name, help, None, MetricType::Histogram)?;
        for (of, Shown { sum, count, buckets }) in shown {
            metric.encode_family(&[(label, *of)])?.encode_histogram::<NoLabelSet>(*sum, *count, buckets, None)?;
        }
        Ok(())
    }
}
