package config_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/tailwater-cdc/tailwater/pkg/config"
	"github.com/tailwater-cdc/tailwater/sinks"
)

// TestSchemaChange: what one word says of the kinds of changes, and what keys do.
func TestSchemaChange(t *testing.T) {
	t.Parallel()
	cases := map[string]string{ // what stands behind the key: add drop widen narrow rename nullability new_table truncate
		"":                               "apply ignore apply halt apply apply apply apply",
		"apply":                          "apply ignore apply halt apply apply apply apply",
		"halt":                           "halt halt halt halt halt halt apply apply",
		"ignore":                         "ignore ignore ignore ignore ignore ignore apply apply",
		"{}":                             "apply ignore apply halt apply apply apply apply",
		"{ drop: apply, rename: halt }":  "apply apply apply halt halt apply apply apply",
		"{ truncate: ignore, add: halt}": "halt ignore apply halt apply apply apply ignore",
		"{ narrow: apply }":              "must be one of: halt, ignore",
		"{ dropp: apply }":               `did you mean "drop"?`,
		"follow":                         "must be one of: apply, halt, ignore",
		"[add]":                          "a group of keys",
	}
	for given, want := range cases {
		line := ""
		if given != "" {
			line = "on_schema_change: " + given
		}
		file := `version: 1
pipelines:
  - name: a
    source: { type: postgres, url: "postgres://u@h/d", tables: { include: ["public.*"] } }
    stream: { type: direct }
    sinks:
      - name: copy
        type: postgres
        url: "postgres://u@h/d"
        ` + line + "\n"
		c, _, err := config.Parse("f.yaml", []byte(file), environment())
		if err != nil {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%q: %v\nwant %q", given, err, want)
			}
			continue
		}
		p := c.Pipelines[0].Sinks[0].OnSchemaChange.Policy()
		var got []string
		for _, k := range sinks.Kinds() {
			got = append(got, fmt.Sprint(p[k.Kind]))
		}
		if s := strings.Join(got, " "); s != want {
			t.Errorf("%q: %s, want %s", given, s, want)
		}
	}
}
