package main

import (
	"fmt"
	"strings"
)

// titles are the rows that there are, in the page's order, with what each aims at.
var titles = []struct{ name, title, goal string }{
	{"pg_kafka", "PostgreSQL's log to Kafka, a backlog in transactions of 100 rows", "5 x Debezium; 1.2 x pg_recvlogical; under 128 MiB; a tenth of its CPU"},
	{"my_kafka", "MySQL's binlog to Kafka, a backlog in transactions of 100 rows", "8 x Debezium; 60 % of go-mysql's decode-only rate; under 128 MiB; a tenth of its CPU"},
	{"kafka_pg", "Kafka to PostgreSQL by upsert", "5 x Debezium's JDBC sink; half of the bare driver"},
	{"kafka_my", "Kafka to MySQL by upsert", "5 x Debezium's JDBC sink; half of the bare driver"},
	{"pg_direct", "PostgreSQL to PostgreSQL, direct", "80 % of the slower of its halves"},
	{"my_direct", "MySQL to MySQL, direct", "80 % of the slower of its halves"},
	{"pg_snapshot", "a snapshot of a PostgreSQL table to Kafka", "5 x Debezium; 80 % of our log path"},
	{"my_snapshot", "a snapshot of a MySQL table to Kafka", "5 x Debezium; 80 % of our log path"},
	{"pg_latency", "PostgreSQL, insert sent to record seen (topic) and to target row seen (target)", "topic p50 1.5 ms, p99 6 ms; target through Kafka 5 and 20 ms, direct 3 and 12 ms"},
	{"my_latency", "MySQL, insert sent to record seen (topic) and to target row seen (target)", "topic p50 1.5 ms, p99 6 ms; target through Kafka 5 and 20 ms, direct 3 and 12 ms"},
	{"start", "from exec to the first change with 1,000 tables, in seconds", "under 1 s"},
	{"growth_rows_pg", "PostgreSQL's log to Kafka, ten times the rows", halfOfBase},
	{"growth_rows_my", "MySQL's binlog to Kafka, ten times the rows", halfOfBase},
	{"growth_topics6_pg", "PostgreSQL's log to Kafka, 1,000 tables of 6 partitions a million rows", halfOfBase},
	{"growth_topics6_my", "MySQL's binlog to Kafka, 1,000 tables of 6 partitions a million rows", halfOfBase},
	{"growth_topics1_pg", "PostgreSQL's log to Kafka, 10,000 tables of one partition a million rows", halfOfBase},
	{"growth_topics1_my", "MySQL's binlog to Kafka, 10,000 tables of one partition a million rows", halfOfBase},
	{"growth_columns_pg", "PostgreSQL's log to Kafka, 200 columns", halfOfBytes},
	{"growth_columns_my", "MySQL's binlog to Kafka, 200 columns", halfOfBytes},
	{"growth_wide_pg", "PostgreSQL's log to Kafka, rows of 10 kB", halfOfBytes},
	{"growth_wide_my", "MySQL's binlog to Kafka, rows of 10 kB", halfOfBytes},
	{"growth_single_pg", "PostgreSQL's log to Kafka, transactions of one row", halfOfBase},
	{"growth_single_my", "MySQL's binlog to Kafka, transactions of one row", halfOfBase},
	{"growth_idle_pg", "PostgreSQL, pipelines of one process without a change", "under 2 MiB a pipeline, no CPU to speak of"},
	{"growth_idle_my", "MySQL, pipelines of one process without a change", "under 2 MiB a pipeline, no CPU to speak of"},
}

// What the rows of growth aim at, beside the base of the same run.
const (
	halfOfBase  = "half of the base's rows/s, its memory"
	halfOfBytes = "half of the base's bytes/s, its memory"
)

func (r *result) title() (title, goal string) {
	for _, t := range titles {
		if t.name == r.name {
			if r.start() && r.about["binary"] != "" {
				t.goal += "; a binary under 40 MB"
			}
			return t.title, t.goal
		}
	}
	return r.name, ""
}

// kind says which figures a row is about.
func (r *result) latency() bool { return len(r.runs) > 0 && r.runs[0].p50 >= 0 }
func (r *result) start() bool   { return r.name == "start" }
func (r *result) idle() bool    { return strings.HasPrefix(r.name, "growth_idle_") }
func (r *result) growth() bool  { return strings.HasPrefix(r.name, "growth_") && !r.idle() }

func (r *result) table() string {
	var b strings.Builder
	all := r.summaries()
	switch {
	case r.latency():
		b.WriteString("| | p50 | p99 | runs |\n|---|---|---|---|\n")
		for _, s := range all {
			fmt.Fprintf(&b, "| %s | %.2f ms | %.2f ms | %d |\n", s.who, s.p50, s.p99, s.n)
		}
	case r.start():
		b.WriteString("| | median | least to most | runs |\n|---|---|---|---|\n")
		for _, s := range all {
			fmt.Fprintf(&b, "| %s | %.2f s | %.2f to %.2f | %d |\n", s.who, 1/s.rate, 1/s.most, 1/s.least, s.n)
		}
		if size := r.about["binary"]; size != "" {
			fmt.Fprintf(&b, "| the binary | %s | | |\n", size)
		}
	case r.idle():
		b.WriteString(idleTable(all))
	case r.growth():
		b.WriteString(growthTable(all))
	default:
		b.WriteString("| | rows/s | least to most | ours by this | peak memory | CPU s a million rows | runs |\n|---|---|---|---|---|---|---|\n")
		for _, s := range all {
			fmt.Fprintf(&b, "| %s | %s | %s to %s | %s | %s | %s | %d |\n", s.who, thousands(s.rate), thousands(s.least), thousands(s.most),
				ratio(all[0].rate, s.rate), unit(s.rss, "%.0f MiB"), unit(s.cpm, "%.1f"), s.n)
		}
	}
	return b.String()
}

func ratio(ours, other float64) string { return fmt.Sprintf("%.2f", ours/other) }

func unit(v float64, format string) string {
	if v < 0 {
		return "-"
	}
	return fmt.Sprintf(format, v)
}

func thousands(v float64) string {
	s := fmt.Sprintf("%.0f", v)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

func page(results []result, name string) string {
	var b strings.Builder
	about := results[0].about
	fmt.Fprintf(&b, "# %s\n\nMachine: %s.\nServers: %s.\n\n", name, about["machine"], about["servers"])
	b.WriteString("Medians of the runs; every run stands below, and in the files of the folder beside this page. testdata/bench/incumbent.sh has the incumbent's settings.\n")
	for _, r := range results {
		title, goal := r.title()
		fmt.Fprintf(&b, "\n## %s\n\nTo reach: %s.\n\n%s\n![%s](%s/%s.svg)\n", title, goal, r.table(), r.name, name, r.name)
	}
	b.WriteString("\n## Every run\n\n```\n")
	for _, r := range results {
		fmt.Fprintf(&b, "%s  %s  %s\n%s\n", r.name, r.about["begun"], r.about["command"], r.header())
		for _, f := range r.runs {
			fmt.Fprintf(&b, "%d\t%s\t%.0f\t%.2f\t%s\t%s\t%s\t%s", f.run, f.who, f.rows, f.seconds, unit(f.rss, "%.0f"), unit(f.cpu, "%.1f"), unit(f.p50, "%.2f"), unit(f.p99, "%.2f"))
			if r.growth() {
				b.WriteString("\t" + unit(f.mb, "%.1f"))
			}
			b.WriteString("\n")
		}
		b.WriteString("\n")
	}
	b.WriteString("```\n")
	return b.String()
}
