package testenv

import (
	"encoding/base64"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// The names of what reads and registers what we write.
const (
	readersName  = "readers"
	registryName = "registry"
)

// Readers are readers of records that are not ours: Flink's formats and Apache Avro's GenericDatumReader, in one process of
// testdata/servers/recipes/Readers.java.
type Readers struct {
	t    testing.TB
	addr string
}

// ForeignReaders returns the shared readers of TAILWATER_READERS.
func ForeignReaders(t testing.TB) *Readers {
	t.Helper()
	return &Readers{t: t, addr: lookup(t, readersName, "TAILWATER_READERS")}
}

// Registry returns the address of the shared schema registry of TAILWATER_REGISTRY, with Confluent's API. All tests share its subjects.
func Registry(t testing.TB) string {
	t.Helper()
	return lookup(t, registryName, "TAILWATER_REGISTRY")
}

// FlinkFormat is a format of Flink's, with its settings.
type FlinkFormat struct {
	Name  string // debezium-json, maxwell-json, canal-json, json
	Times string // FORMAT.timestamp-format.standard: SQL, ISO-8601
	Row   string // the table's columns: ROW<id BIGINT, ...>
}

// Flink reads values, of which a nil one is null: the rows, each a JSON array of the kind of change and the columns' texts; or the
// format's refusal in its own words.
func (r *Readers) Flink(f FlinkFormat, values [][]byte) (rows []string, refusal string) {
	r.t.Helper()
	return r.ask("/flink?format="+f.Name+"&times="+f.Times, f.Row+"\n"+lines(values))
}

// Avro reads records' keys or values with the schemas that they name, which a registry holds; with reader, the number of another schema,
// they are read into that. A key's rows have KEY for their kind.
func (r *Readers) Avro(registry, reader string, records [][]byte) (rows []string, refusal string) {
	r.t.Helper()
	query := url.Values{"registry": {registry}}
	if reader != "" {
		query.Set("reader", reader)
	}
	return r.ask("/avro?"+query.Encode(), lines(records))
}

// Extract reads values in Avro of a topic with Kafka Connect's converter, applies Debezium's ExtractNewRecordState with
// delete.tombstone.handling.mode=rewrite and add.fields=op,source.ts_ms, and returns what Connect's JsonConverter makes of each.
func (r *Readers) Extract(registry, topic string, values [][]byte) (texts []string, refusal string) {
	r.t.Helper()
	return r.ask("/extract?"+url.Values{"registry": {registry}, "topic": {topic}}.Encode(), lines(values))
}

func lines(values [][]byte) string {
	out := make([]string, len(values))
	for i, v := range values {
		if out[i] = base64.StdEncoding.EncodeToString(v); v == nil {
			out[i] = "-"
		}
	}
	return strings.Join(out, "\n")
}

func (r *Readers) ask(path, body string) (rows []string, refusal string) {
	r.t.Helper()
	request, err := http.NewRequestWithContext(r.t.Context(), http.MethodPost, "http://"+r.addr+path, strings.NewReader(body))
	if err != nil {
		r.t.Fatal(err)
	}
	response, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(request)
	if err != nil {
		r.t.Fatalf("ask the foreign readers: %v", err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		r.t.Fatalf("ask the foreign readers: %v", err)
	}
	switch response.StatusCode {
	case http.StatusOK:
		for line := range strings.Lines(string(text)) {
			rows = append(rows, strings.TrimSuffix(line, "\n"))
		}
		return rows, ""
	case http.StatusUnprocessableEntity:
		return nil, string(text)
	}
	r.t.Fatalf("the foreign readers answer %s: %s", response.Status, text)
	return nil, ""
}
