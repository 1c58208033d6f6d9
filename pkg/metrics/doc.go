// Package metrics counts what pipelines do, for Prometheus: the names in testdata/metrics.txt, under the prefix tailwater_, in base
// units, in a registry of its own. It is fed in two ways: by the Observer that a pipeline calls from its loops, and at each scrape by
// the pipelines' own Status, so that what both show is the same.
//
// Labels whose values come from the source (tables, topics, error codes) are capped: the first maxValues keep their names, the rest
// are "other". It imports pkg/pipeline and contracts; only cmd imports it.
package metrics
