package config_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"reflect"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/tailwater-cdc/tailwater/pkg/config"
)

func TestParseDuration(t *testing.T) {
	t.Parallel()
	cases := []struct {
		in   string
		want time.Duration
		bad  string
	}{
		{in: "5s", want: 5 * time.Second},
		{in: "7d", want: 7 * 24 * time.Hour},
		{in: "1h30m", want: 90 * time.Minute},
		{in: "500ms", want: 500 * time.Millisecond},
		{in: "1d12h", want: 36 * time.Hour},
		{in: "0s", want: 0},
		{in: "5", bad: "unit"},
		{in: "", bad: "unit"},
		{in: "s", bad: "unit"},
		{in: "-5s", bad: "unit"},
		{in: "1.5h", bad: "unit"},
		{in: "30m1h", bad: "unit"},
		{in: "5 s", bad: "unit"},
		{in: "1s1s", bad: "unit"},
		{in: "1w", bad: "unit"},
		{in: "200000d", bad: "large"},
		{in: "99999999999999999999s", bad: "large"},
	}
	for _, c := range cases {
		got, err := config.ParseDuration(c.in)
		switch {
		case c.bad != "" && (err == nil || !strings.Contains(err.Error(), c.bad)):
			t.Errorf("%q: %v, want an error with %q", c.in, err, c.bad)
		case c.bad == "" && (err != nil || time.Duration(got) != c.want):
			t.Errorf("%q: %v, %v, want %v", c.in, got, err, c.want)
		}
		if back, err := config.ParseDuration(got.String()); c.bad == "" && (err != nil || back != got) {
			t.Errorf("%q: written as %s, read as %v, %v", c.in, got, back, err)
		}
	}
}

func TestParseSize(t *testing.T) {
	t.Parallel()
	cases := []struct {
		in   string
		want int64
		bad  string
	}{
		{in: "8MiB", want: 8 << 20},
		{in: "1024KiB", want: 1 << 20},
		{in: "3B", want: 3},
		{in: "2TiB", want: 2 << 40},
		{in: "0B", want: 0},
		{in: "8", bad: "unit"},
		{in: "8MB", bad: "unit"},
		{in: "8mib", bad: "unit"},
		{in: "1.5GiB", bad: "unit"},
		{in: "-1B", bad: "unit"},
		{in: "9000000TiB", want: 0, bad: "large"},
	}
	for _, c := range cases {
		got, err := config.ParseSize(c.in)
		switch {
		case c.bad != "" && (err == nil || !strings.Contains(err.Error(), c.bad)):
			t.Errorf("%q: %v, want an error with %q", c.in, err, c.bad)
		case c.bad == "" && (err != nil || int64(got) != c.want):
			t.Errorf("%q: %v, %v, want %v", c.in, got, err, c.want)
		}
		if back, err := config.ParseSize(got.String()); c.bad == "" && (err != nil || back != got) {
			t.Errorf("%q: written as %s, read as %v, %v", c.in, got, back, err)
		}
	}
}

// TestSecretIsNeverSeen prints a Secret in every way that a value gets printed.
func TestSecretIsNeverSeen(t *testing.T) {
	t.Parallel()
	type hidden struct{ secret config.Secret }
	s := config.NewSecret(canary)
	holder := struct{ Password config.Secret }{s}
	var logs bytes.Buffer
	for _, h := range []slog.Handler{slog.NewTextHandler(&logs, nil), slog.NewJSONHandler(&logs, nil)} {
		slog.New(h).Info("x", "secret", s, "holder", holder, "pointer", &holder, "hidden", hidden{s})
	}
	out := []string{logs.String(), s.String()}
	for _, v := range []any{s, &s, holder, &holder, hidden{s}, []config.Secret{s}, map[string]config.Secret{"a": s}, reflect.ValueOf(s)} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%d", "%x"} {
			out = append(out, fmt.Sprintf(verb, v))
		}
	}
	j, err := json.Marshal(holder)
	if err != nil {
		t.Fatal(err)
	}
	y, err := yaml.Marshal(holder)
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range append(out, string(j), string(y)) {
		if strings.Contains(text, canary) || strings.Contains(text, fmt.Sprintf("%x", canary)) {
			t.Errorf("seen in %q", text)
		}
	}
	if string(j) != `{"Password":"***"}` || string(y) != "password: '***'\n" {
		t.Errorf("%s %s", j, y)
	}
	if s.Reveal() != canary || (config.Secret{}).Reveal() != "" || (config.Secret{}).String() != "" || config.NewSecret("").IsSet() {
		t.Error("the secret itself is wrong")
	}
}
