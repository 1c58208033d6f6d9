package testenv_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tailwater-cdc/tailwater/pkg/testenv"
)

func TestAbsentServer(t *testing.T) {
	tests := []struct {
		name, require, notRun string
		ended, message        string
	}{
		{name: "not asked for", ended: "skip", message: "TAILWATER_KAFKA is not set"},
		{name: "others asked for", require: "pg15,pg18", ended: "skip", message: "TAILWATER_KAFKA is not set"},
		{name: "required", require: "pg15, kafka", ended: "fatal", message: "TAILWATER_REQUIRE names kafka"},
		{name: "not to be had", notRun: "NOT RUN kafka: no Maven\n", ended: "skip", message: "NOT RUN kafka: no Maven"},
		{name: "required, not to be had", require: "kafka", notRun: "NOT RUN pg18: a\nNOT RUN kafka: no Maven\n",
			ended: "skip", message: "NOT RUN kafka: no Maven"},
		{name: "another not to be had", require: "kafka", notRun: "NOT RUN pg18: no sid\n",
			ended: "fatal", message: "TAILWATER_REQUIRE names kafka"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			list := filepath.Join(t.TempDir(), "not-run")
			if test.notRun != "" {
				if err := os.WriteFile(list, []byte(test.notRun), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			t.Setenv("TAILWATER_NOT_RUN", list)
			t.Setenv("TAILWATER_KAFKA", "")
			t.Setenv("TAILWATER_REQUIRE", test.require)
			fake := under(t, func(t testing.TB) { testenv.Kafka(t) })
			if fake.ended != test.ended || !strings.Contains(fake.log.String(), test.message) {
				t.Errorf("ended by %q with %q, want %q with %q", fake.ended, fake.log.String(), test.ended, test.message)
			}
		})
	}
}

func TestPostgresUnknownMajor(t *testing.T) {
	t.Parallel()
	fake := under(t, func(t testing.TB) { testenv.Postgres(t, 9) })
	if fake.ended != "fatal" || !strings.Contains(fake.log.String(), "not 9") {
		t.Errorf("ended by %q with %q", fake.ended, fake.log.String())
	}
}
