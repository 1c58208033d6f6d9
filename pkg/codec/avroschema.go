package codec

import (
	"strconv"
	"strings"

	"github.com/tailwater-cdc/tailwater/pkg/change"
)

// avroSchemas are the two schemas of a table's records.
type avroSchemas struct{ key, value string }

// schemas makes them for a topic: its name, dot by dot, is the namespace, as Debezium's is.
func (r *avroRow) schemas(topic string) (avroSchemas, error) {
	parts := strings.Split(topic, ".")
	for i := range parts {
		parts[i] = avroName(parts[i])
	}
	namespace := strings.Join(parts, ".")
	names := make([]string, len(r.columns))
	taken := map[string]string{}
	for i := range r.columns {
		name := avroName(r.columns[i].Name)
		if other, twice := taken[name]; twice {
			return avroSchemas{}, errorf("table %s: columns %q and %q are one name, %s, in Avro; rename one, or use another format", r.l.table, other, r.columns[i].Name, name)
		}
		taken[name], names[i] = r.columns[i].Name, name
	}
	all := make([]int, len(r.columns))
	for i := range all {
		all[i] = i
	}
	value := r.appendRecord(nil, avroRecord{"Value", namespace, names, all})
	key := r.appendRecord(nil, avroRecord{"Key", namespace, names, r.l.table.Key})
	out := append([]byte(nil), `{"type":"record","name":"Envelope","namespace":"`...)
	out = append(append(out, namespace...), `","fields":[{"name":"before","type":["null",`...)
	out = append(append(out, value...), `],"default":null},{"name":"after","type":["null","`...)
	out = append(append(out, namespace...), `.Value"],"default":null},{"name":"source","type":`...)
	out = append(appendAvroSource(out, r.l.table.Engine), `},{"name":"op","type":"string"},{"name":"ts_ms","type":["null","long"],"default":null}]}`...)
	return avroSchemas{key: string(key), value: string(out)}, nil
}

// avroName makes a name that Avro allows: letters, digits and _, the first no digit.
func avroName(s string) string {
	out := []byte(s)
	for i, c := range out {
		letter := c == '_' || c|0x20 >= 'a' && c|0x20 <= 'z'
		if !letter && (c < '0' || c > '9' || i == 0) {
			out[i] = '_'
		}
	}
	if len(out) == 0 {
		return "_"
	}
	return string(out)
}

type avroRecord struct {
	name, namespace string
	names           []string // of all columns
	columns         []int
}

func (r *avroRow) appendRecord(dst []byte, rec avroRecord) []byte {
	dst = append(append(dst, `{"type":"record","name":"`...), rec.name...)
	dst = append(append(append(dst, `","namespace":"`...), rec.namespace...), `","fields":[`...)
	for n, i := range rec.columns {
		if n > 0 {
			dst = append(dst, ',')
		}
		c := &r.columns[i]
		dst = append(append(append(dst, `{"name":"`...), rec.names[i]...), `","type":`...)
		if !c.optional {
			dst = append(c.appendType(dst), '}')
			continue
		}
		dst = append(c.appendType(append(dst, `["null",`...)), `],"default":null}`...)
	}
	return append(dst, `]}`...)
}

var avroTypes = map[avroType]string{avroString: `"string"`, avroUUID: `{"type":"string","logicalType":"uuid"}`, avroBytes: `"bytes"`, avroBool: `"boolean"`,
	avroInt: `"int"`, avroLong: `"long"`, avroFloat: `"float"`, avroDouble: `"double"`, avroDate: `{"type":"int","logicalType":"date"}`,
	avroTime: `{"type":"long","logicalType":"time-micros"}`, avroInstant: `{"type":"long","logicalType":"timestamp-micros"}`,
	avroWallTime: `{"type":"long","logicalType":"local-timestamp-micros"}`}

func (c *avroColumn) appendType(dst []byte) []byte {
	if c.typ != avroDecimal {
		return append(dst, avroTypes[c.typ]...)
	}
	dst = strconv.AppendInt(append(dst, `{"type":"bytes","logicalType":"decimal","precision":`...), int64(c.Precision), 10)
	return append(strconv.AppendInt(append(dst, `,"scale":`...), int64(c.Scale), 10), '}')
}

// appendAvroSource appends the schema of the source block: Debezium's name and members, as far as we have them.
func appendAvroSource(dst []byte, engine string) []byte {
	const text, number = `"string"`, `["null","long"],"default":null`
	members := []struct{ name, typ string }{{"version", text}, {"connector", text}, {"name", text}, {"ts_ms", number}, {"snapshot", text}, {"db", text}}
	switch engine {
	case "postgres":
		members = append(members, []struct{ name, typ string }{{"schema", text}, {"table", text}, {"txId", number}, {"lsn", number}}...)
	case "mysql", "mariadb":
		members = append(members, []struct{ name, typ string }{{"table", text}, {"gtid", `["null","string"],"default":null`}, {"file", text}, {"pos", `"long"`}}...)
	default:
		members = append(members, struct{ name, typ string }{"table", text})
	}
	dst = change.AppendJSONString(append(dst, `{"type":"record","name":"Source","namespace":`...), "io.debezium.connector."+avroName(connectorOf(engine)))
	dst = append(dst, `,"fields":[`...)
	for i, m := range members {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(append(append(append(append(dst, `{"name":"`...), m.name...), `","type":`...), m.typ...), '}')
	}
	return append(dst, `]}`...)
}
