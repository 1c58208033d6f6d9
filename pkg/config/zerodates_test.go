package config_test

import (
	"testing"

	"github.com/tailwater-cdc/tailwater/pkg/config"
)

// TestZeroDates: null is one of the words, as it stands and in quotes; another engine has no such key, and nothing at all is no word.
func TestZeroDates(t *testing.T) {
	t.Parallel()
	file := func(engine, value string) string {
		return "version: 1\npipelines:\n  - name: shop\n    source:\n      " + engine + "\n      zero_dates: " + value +
			"\n      tables: { include: [a.b] }\n    stream: { type: kafka, brokers: [h:1], prefix: p }\n"
	}
	for value, want := range map[string]string{"null": "null", `"null"`: "null", "error": "error", "lossless": "lossless", "": "", "~": "", "epoch": ""} {
		cfg, _, err := config.Parse("test.yaml", []byte(file("type: mariadb\n      url: mysql://u@h:1/", value)), environment())
		switch {
		case want == "" && err == nil:
			t.Errorf("zero_dates: %s was taken", value)
		case want != "" && err != nil:
			t.Errorf("zero_dates: %s: %v", value, err)
		case want != "" && cfg.Pipelines[0].Source.ZeroDates != want:
			t.Errorf("zero_dates: %s is %s", value, cfg.Pipelines[0].Source.ZeroDates)
		}
	}
	if _, _, err := config.Parse("test.yaml", []byte(file("type: postgres\n      url: postgres://u@h:1/d", "error")), environment()); err == nil {
		t.Error("Postgres has zero_dates")
	}
}
