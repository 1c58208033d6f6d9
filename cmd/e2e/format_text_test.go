package e2e

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/tailwater-cdc/tailwater/pkg/testenv"
)

// TestAvroTextColumns: a value that Avro has no type for halts by table and column; named in text_columns, its column carries it as text, to
// Apache Avro and to a sink.
func TestAvroTextColumns(t *testing.T) {
	t.Parallel()
	readers, registry := testenv.ForeignReaders(t), testenv.Registry(t)
	r := newRig(t, "kafka")
	r.source.Exec("create table contracts (id bigint primary key, rate numeric(10,2), until timestamptz)")
	r.source.Exec("insert into contracts values (1, 'NaN', 'infinity'), (2, 1.50, '2024-10-27 03:33:20.123456Z')")
	r.config.link = fmt.Sprintf("format: avro, registry: { url: %q }", registry)
	said := r.start("run", "--once").ends(1)
	if !strings.Contains(said, "contracts") || !strings.Contains(said, "column rate") || !strings.Contains(said, "stream.text_columns") {
		t.Errorf("it says %s", said)
	}
	r.config.link += `, text_columns: ["public.contracts.rate", "public.*.until"]`
	r.once()
	r.equal("contracts")
	var values [][]byte
	r.eachRecord("contracts", func(rec record) {
		if !rec.none {
			values = append(values, []byte(rec.value))
		}
	})
	got, refusal := readers.Avro(registry, "", values)
	slices.Sort(got)
	want := []string{`["+I","1","NaN","infinity"]`, `["+I","2","1.50","2024-10-27T03:33:20.123456Z"]`}
	if refusal != "" || !slices.Equal(got, want) {
		t.Errorf("Avro read %v %s, want %v", got, refusal, want)
	}
}
