package config

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
)

// checkFormat reports what doesn't go with a stream's format; at is the stream's path.
func (c *checker) checkFormat(p *Pipeline, at string) {
	s := &p.Stream
	conflict := func(path, message, suggestion string) {
		c.report(Problem{Code: CodeConflict, Path: path, Message: message, Suggestion: suggestion})
	}
	if s.Format == Flat && len(p.Sinks) > 0 {
		conflict(at+".format", "flat carries no old rows, and this pipeline has sinks: they need them", "use another format, or give flat a pipeline of its own without sinks")
	}
	if c.has(at + ".unset") {
		switch {
		case (s.Format == MaxwellJSON || s.Format == CanalJSON) && s.Unset == "placeholder":
			conflict(at+".unset", fmt.Sprintf("%s has no placeholder: its readers know a column that is left out", s.Format), "write unset: omit, or take it away")
		case s.Format == Avro && s.Unset == "omit":
			conflict(at+".unset", "a record in avro has every field: a column that the log didn't carry is always Debezium's placeholder", "write unset: placeholder, or take it away")
		}
	}
	for i, p := range s.TextColumns {
		if parts := strings.Split(p, "."); len(parts) < 3 || slices.Contains(parts, "") {
			c.report(Problem{Code: CodeValue, Path: fmt.Sprintf("%s.text_columns[%d]", at, i), Message: "must be schema.table.column", Suggestion: `write "public.contracts.valid_until" or "*.*.valid_until"`})
		}
	}
	if s.Format != Avro {
		if len(s.TextColumns) > 0 {
			conflict(at+".text_columns", fmt.Sprintf("is for format: avro, and format is %s, which carries every value", s.Format), "take it away")
		}
		if s.Registry.URL != "" || s.Registry.User != "" || s.Registry.Password.IsSet() {
			conflict(at+".registry", fmt.Sprintf("is for format: avro, and format is %s", s.Format), "take it away, or write format: avro")
		}
		return
	}
	c.checkRegistry(&s.Registry, at+".registry")
}

func (c *checker) checkRegistry(r *Registry, at string) {
	u, err := url.Parse(r.URL)
	switch {
	case r.URL == "":
		c.report(Problem{Code: CodeMissing, Path: at + ".url", Message: "is missing: format avro registers its schemas", Suggestion: "add it: where the schema registry is"})
		return
	case err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || u.User != nil:
		c.report(Problem{Code: CodeValue, Path: at + ".url", Message: "must be http:// or https:// and a host, without user and password", Suggestion: "write it as https://host:8081"})
		return
	}
	if (r.User == "") == r.Password.IsSet() {
		c.report(Problem{Code: CodeMissing, Path: at, Message: "needs user and password together"})
	}
	if u.Scheme == "http" && r.Password.IsSet() && !IsLoopback(u.Hostname()) {
		c.warn(Problem{Code: CodeSecret, Path: at + ".url", Message: "sends the password in plain text", Suggestion: "use https"})
	}
}
