package config

// Config is one file, checked and with its defaults filled in. Nobody changes it after Load has returned it; it may be read from
// any goroutine. What a field means, its unit and its default stand in keys.go.
type Config struct {
	Version   int        `yaml:"version"`
	Server    Server     `yaml:"server"`
	Pipelines []Pipeline `yaml:"pipelines"`
}

// Server is what all pipelines of the process share.
type Server struct {
	Listen       string   `yaml:"listen"`
	StateDir     string   `yaml:"state_dir"`
	MemoryLimit  Size     `yaml:"memory_limit"`
	StartTimeout Duration `yaml:"start_timeout"`
	DrainTimeout Duration `yaml:"drain_timeout"`
	TLS          KeyPair  `yaml:"tls"`
}

// KeyPair names the files of a certificate and its key.
type KeyPair struct {
	Cert string `yaml:"cert"`
	Key  string `yaml:"key"`
}

// Pipeline is one source, one stream and any number of sinks.
type Pipeline struct {
	Name   string `yaml:"name"`
	Source Source `yaml:"source"`
	Stream Stream `yaml:"stream"`
	Sinks  []Sink `yaml:"sinks"`
}

// TLS says how a server's identity is checked. Mode is never empty.
type TLS struct {
	Mode string `yaml:"mode"`
	CA   string `yaml:"ca"`
	Cert string `yaml:"cert"`
	Key  string `yaml:"key"`
}

// The modes of TLS.
const (
	TLSVerifyFull = "verify-full"
	TLSVerifyCA   = "verify-ca"
	TLSRequire    = "require"
	TLSDisable    = "disable"
)

// Source is the database whose log is read.
type Source struct {
	Type        string   `yaml:"type"`
	ID          string   `yaml:"id"`
	URL         string   `yaml:"url"` // holds no password; a Postgres url holds no TLS setting either: TLS has them all
	Password    Secret   `yaml:"password"`
	TLS         TLS      `yaml:"tls"`
	Slot        Object   `yaml:"slot"`
	Publication Object   `yaml:"publication"`
	Tables      Tables   `yaml:"tables"`
	Snapshot    Snapshot `yaml:"snapshot"`
	OnGap       string   `yaml:"on_gap"`
	MaxRowBytes Size     `yaml:"max_row_bytes"`
	ZeroDates   string   `yaml:"zero_dates"` // MySQL and MariaDB
}

// Object is something in the source that we use, and may make.
type Object struct {
	Name   string `yaml:"name"`
	Create bool   `yaml:"create"`
}

// Tables are patterns of schema.table with * for any run of characters.
type Tables struct {
	Include []string `yaml:"include"`
	Exclude []string `yaml:"exclude"`
}

// Snapshot says whether existing rows are read.
type Snapshot struct {
	Mode string `yaml:"mode"`
}

// The types of Stream.
const (
	Kafka  = "kafka"
	Direct = "direct"
)

// Stream is the way from the source to the sinks. The fields of the other Type are zero.
type Stream struct {
	Type        string   `yaml:"type"`
	Brokers     []string `yaml:"brokers"`
	TLS         TLS      `yaml:"tls"`
	SASL        SASL     `yaml:"sasl"`
	Prefix      string   `yaml:"prefix"`
	Topic       string   `yaml:"topic"`
	Partitions  int      `yaml:"partitions"`
	Replication int      `yaml:"replication"`
	Retention   Duration `yaml:"retention"`
	MaxRecord   Size     `yaml:"max_record"`
	Format      string   `yaml:"format"`
	Registry    Registry `yaml:"registry"`
	TextColumns []string `yaml:"text_columns"`
	Tombstones  bool     `yaml:"tombstones"`
	Unset       string   `yaml:"unset"`
	Compression string   `yaml:"compression"`
	Atomic      bool     `yaml:"atomic"`
	Lanes       int      `yaml:"lanes"`
}

// The values of Stream.Format.
const (
	DebeziumJSON = "debezium-json"
	MaxwellJSON  = "maxwell-json"
	CanalJSON    = "canal-json"
	Flat         = "flat"
	Avro         = "avro"
)

// Registry is the schema registry of Avro; of other formats all its fields are zero, but TLS's.
type Registry struct {
	URL      string `yaml:"url"`
	User     string `yaml:"user"`
	Password Secret `yaml:"password"`
	TLS      TLS    `yaml:"tls"`
}

// SASL is how we say to a broker who we are. Mechanism is empty where we don't.
type SASL struct {
	Mechanism string `yaml:"mechanism"`
	User      string `yaml:"user"`
	Password  Secret `yaml:"password"`
}

// TrustKeys is the sinks' foreign_keys that leaves it to the source to check them.
const TrustKeys = "trust"

// Sink is a target that changes are applied to.
type Sink struct {
	Name           string       `yaml:"name"`
	Type           string       `yaml:"type"`
	URL            string       `yaml:"url"` // as Source.URL
	Password       Secret       `yaml:"password"`
	TLS            TLS          `yaml:"tls"`
	Schema         string       `yaml:"schema"`
	Mode           string       `yaml:"mode"`
	CreateTables   bool         `yaml:"create_tables"`
	OnError        string       `yaml:"on_error"`
	OnSchemaChange SchemaChange `yaml:"on_schema_change"`
	ForeignKeys    string       `yaml:"foreign_keys"`
	OrderWait      Duration     `yaml:"order_wait"`
	ParkedLimit    int          `yaml:"parked_limit"`
}

// Pipeline returns the pipeline of that name.
func (c *Config) Pipeline(name string) (*Pipeline, bool) {
	for i := range c.Pipelines {
		if c.Pipelines[i].Name == name {
			return &c.Pipelines[i], true
		}
	}
	return nil, false
}

// Names returns the pipelines' names in the file's order.
func (c *Config) Names() []string {
	names := make([]string, len(c.Pipelines))
	for i := range c.Pipelines {
		names[i] = c.Pipelines[i].Name
	}
	return names
}
