package config

import "time"

const (
	kib = 1 << 10
	mib = 1 << 20
	gib = 1 << 30
)

var (
	postgresOnly = []string{"postgres"}
	mysqlOnly    = []string{"mysql", "mariadb"}
)

// fileKeys is every key of the file.
func fileKeys() []key {
	return []key{
		{name: "version", kind: number, required: true, low: 1, high: 1, doc: "The version of this file's form."},
		{name: "server", kind: group, keys: serverKeys(), doc: "What all pipelines of the process share."},
		{name: "pipelines", kind: groups, required: true, keys: pipelineKeys(), doc: "At least one pipeline."},
	}
}

func serverKeys() []key {
	return []key{
		{name: "listen", kind: text, fallback: "127.0.0.1:7300", doc: "Address of health, metrics and API; `off` for none. An address that others reach needs `tls`."},
		{name: "state_dir", kind: text, fallback: "./state", doc: "Folder of checkpoints, the lock and the API token; relative to the working directory; made with mode 0700."},
		{name: "memory_limit", kind: size, fallback: "256MiB", low: 64 * mib, doc: "What the process should stay below. The queues of all pipelines together get a quarter of it."},
		{name: "start_timeout", kind: duration, fallback: "60s", low: int64(time.Second), doc: "How long an unreachable server, a slot in use or a held lock is retried at the start before exit 3."},
		{name: "drain_timeout", kind: duration, fallback: "30s", low: int64(time.Second), doc: "How long a stop waits for what is on its way before it is cut off."},
		{name: "tls", kind: group, doc: "Serves HTTPS; needed for every address but loopback.", keys: []key{
			{name: "cert", kind: text, doc: "File of the PEM certificate chain."},
			{name: "key", kind: text, doc: "File of its PEM key."},
		}},
	}
}

func pipelineKeys() []key {
	return []key{
		{name: "name", kind: text, required: true, doc: "Unique in the file. Letters, digits, `_` and `-`."},
		{name: "source", kind: group, required: true, keys: sourceKeys(), doc: "The database whose log is read."},
		{name: "stream", kind: group, required: true, keys: streamKeys(), doc: "The way from the source to the sinks."},
		{name: "sinks", kind: groups, keys: sinkKeys(), doc: "The targets. None, with a Kafka stream: capture only."},
	}
}

func tlsKey(types []string) key {
	return key{name: "tls", kind: group, types: types, doc: "How the server's identity is checked.", keys: []key{
		{name: "mode", kind: text, fallback: TLSVerifyFull, choices: []string{TLSVerifyFull, TLSVerifyCA, TLSRequire, TLSDisable},
			doc: "`verify-full`: encrypted, the certificate and the name in it are checked. `verify-ca`: not the name. `require`: encrypted, nothing is checked. `disable`: plain text. A Postgres url's `sslmode` sets it too; where both stand they have to agree."},
		{name: "ca", kind: text, doc: "File of the PEM certificates to trust; without it, the system's."},
		{name: "cert", kind: text, doc: "File of our PEM certificate, where the server asks for one."},
		{name: "key", kind: text, doc: "File of its PEM key."},
	}}
}

func sourceKeys() []key {
	return []key{
		{name: "type", kind: text, required: true, choices: []string{"postgres", "mysql", "mariadb"}, doc: "The engine."},
		{name: "id", kind: text, doc: "What the source is called in topics' headers, marks, Kafka's transactional id and groups; default: the pipeline's name. Unique per Kafka cluster and target; it stays the same when the server changes."},
		{name: "url", kind: text, required: true, doc: "Where the server is, without a password: `postgres://user@host:5432/database`, `mysql://user@host:3306/`."},
		{name: "password", kind: secret, doc: "The user's password: `${env:NAME}` or `${file:PATH}`."},
		tlsKey(nil),
		{name: "slot", kind: group, types: postgresOnly, doc: "The replication slot.", keys: []key{
			{name: "name", kind: text, doc: "Default: `tailwater_` and the source id, with `_` for `-`. Lower-case letters, digits and `_`, at most 63."},
			{name: "create", kind: boolean, fallback: "false", doc: "Makes the slot at the first start. Without it a missing slot is a preflight error."},
		}},
		{name: "publication", kind: group, types: postgresOnly, doc: "The publication.", keys: []key{
			{name: "name", kind: text, doc: "Default: the slot's name."},
			{name: "create", kind: boolean, fallback: "false", doc: "Makes the publication, for exactly the tables below, at the first start. Without it a missing one is a preflight error."},
		}},
		{name: "tables", kind: group, required: true, doc: "Which tables are read.", keys: []key{
			{name: "include", kind: texts, required: true, doc: "Patterns of `schema.table`; `*` stands for any run of characters. None takes a table of tailwater's own (`_tailwater_...`), which a target has."},
			{name: "exclude", kind: texts, doc: "Patterns of tables to leave out of those."},
		}},
		{name: "snapshot", kind: group, doc: "Whether the rows that exist already are read.", keys: []key{
			{name: "mode", kind: text, fallback: "initial", choices: []string{"initial", "never", "only"}, doc: "`initial`: once, beside the running stream. `never`: changes only. `only`: rows only, then the pipeline ends."},
		}},
		{name: "on_gap", kind: text, fallback: "halt", choices: []string{"halt"}, planned: []string{"resnapshot"}, doc: "What happens when the log no longer holds what has not been read: `halt` ends the pipeline with exit 5."},
		{name: "max_row_bytes", kind: size, fallback: "32MiB", low: 64 * kib, high: gib, doc: "A larger row halts capture by table, key and size."},
		{name: "zero_dates", kind: text, types: mysqlOnly, fallback: "lossless", choices: []string{"lossless", "null", "error"}, doc: "What becomes of dates that no calendar has (`0000-00-00`, `2024-00-10`). `lossless`: they are carried as they are. `null`: they are NULL; in a key they halt. `error`: they halt, by table, key and column."},
	}
}

func streamKeys() []key {
	kafka, direct := []string{Kafka}, []string{Direct}
	return []key{
		{name: "type", kind: text, required: true, choices: []string{Kafka, Direct}, doc: "`kafka`: topics that any number of readers follow. `direct`: source to sinks in this process; the source's own log is the buffer."},
		{name: "brokers", kind: texts, required: true, types: kafka, doc: "`host:port` of some brokers."},
		tlsKey(kafka),
		{name: "sasl", kind: group, types: kafka, doc: "Who we are to the brokers.", keys: []key{
			{name: "mechanism", kind: text, choices: []string{"plain", "scram-sha-256", "scram-sha-512"}, doc: "`plain` sends the password as it is: use it over TLS."},
			{name: "user", kind: text, doc: "The user."},
			{name: "password", kind: secret, doc: "The user's password: `${env:NAME}` or `${file:PATH}`."},
		}},
		{name: "prefix", kind: text, required: true, types: kafka, doc: "What the topics' names begin with; also names the topic of shapes, `{prefix}.schemas`."},
		{name: "topic", kind: text, fallback: "{prefix}.{schema}.{table}", types: kafka, doc: "The name of a table's topic."},
		{name: "partitions", kind: number, fallback: "6", low: 1, high: 1000, types: kafka, doc: "Partitions of each topic that we make. It can't change later: keys would move."},
		{name: "replication", kind: number, fallback: "-1", low: -1, high: 100, types: kafka, doc: "Replicas of each topic that we make; -1: the broker's default."},
		{name: "retention", kind: duration, fallback: "7d", low: int64(time.Minute), types: kafka, doc: "How long the topics that we make keep records."},
		{name: "max_record", kind: size, fallback: "8MiB", low: 64 * kib, high: gib, types: kafka, doc: "The largest record; also the topics' max.message.bytes."},
		{name: "format", kind: text, fallback: "debezium-json", choices: []string{DebeziumJSON, MaxwellJSON, CanalJSON, Flat, Avro}, planned: []string{"protobuf"}, types: kafka, doc: "The form of a record: docs/formats.md says which reader takes which. `flat` has no old rows, so a pipeline with sinks can't have it. `avro` is Debezium's envelope and needs `registry`."},
		registryKey(kafka),
		{name: "text_columns", kind: texts, types: kafka, doc: "With `format: avro`: patterns of `schema.table.column`, `*` for any run of characters. Decimals, dates and times in them are strings, so that NaN, infinities and zero dates are carried; elsewhere such a value halts the pipeline."},
		{name: "tombstones", kind: boolean, fallback: "true", types: kafka, doc: "Follows each delete with a record without a value."},
		{name: "unset", kind: text, fallback: "omit", choices: []string{"omit", "placeholder"}, types: kafka, doc: "A column that the log didn't carry is left out, or written as Debezium's placeholder. `maxwell-json` and `canal-json` always leave it out; `avro` always writes the placeholder."},
		{name: "compression", kind: text, fallback: "zstd", choices: []string{"zstd", "lz4", "snappy", "gzip", "none"}, types: kafka, doc: "How record batches are compressed."},
		{name: "atomic", kind: boolean, fallback: "true", types: direct, doc: "Source transactions reach the target whole."},
		{name: "lanes", kind: number, fallback: "1", low: 1, high: 64, types: direct, doc: "With `atomic: false`: how many target transactions run beside each other, split by key."},
	}
}

func registryKey(types []string) key {
	return key{name: "registry", kind: group, types: types, doc: "The schema registry of `format: avro`, with Confluent's API.", keys: []key{
		{name: "url", kind: text, doc: "Where it is, without user and password: `https://host:8081`."},
		{name: "user", kind: text, doc: "The user, where it asks for one."},
		{name: "password", kind: secret, doc: "The user's password: `${env:NAME}` or `${file:PATH}`."},
		tlsKey(nil),
	}}
}

func sinkKeys() []key {
	return []key{
		{name: "name", kind: text, required: true, doc: "Unique in the pipeline. Letters, digits, `_` and `-`."},
		{name: "type", kind: text, required: true, choices: []string{"postgres", "mysql", "mariadb"}, doc: "The engine."},
		{name: "url", kind: text, required: true, doc: "Where the target is, without a password: `postgres://user@host:5432/database`, `mysql://user@host:3306/database`."},
		{name: "password", kind: secret, doc: "The user's password: `${env:NAME}` or `${file:PATH}`."},
		tlsKey(nil),
		{name: "schema", kind: text, types: postgresOnly, doc: "The target's schema, which must exist; default: `public`."},
		{name: "mode", kind: text, fallback: "upsert", choices: []string{"upsert", "append", "soft_delete"}, doc: "`upsert`: the source's rows as they are. `append`: every change as a row of its own. `soft_delete`: as upsert, deleted rows kept and stamped in `_tailwater_deleted_at`."},
		{name: "create_tables", kind: boolean, fallback: "false", doc: "Makes missing tables, and columns that a table lacks when it is met first. Without it both are errors with the statement to run."},
		{name: "on_error", kind: text, fallback: "park", choices: []string{"park", "halt"}, doc: "A change that the target refuses is parked with its cause, and later changes of its key wait behind it; or the pipeline halts."},
		{name: "on_schema_change", kind: group, choices: schemaWords, word: schemaWord, keys: schemaKeys(), doc: "What the target does about each kind of change that a table of the source goes through: [schema changes](schema-changes.md). One word stands for all kinds but `new_table` and `truncate`; `apply` for the defaults below."},
		{name: "foreign_keys", kind: text, fallback: "check", choices: []string{"check", "trust"}, doc: "`check`: the target's foreign keys are checked and act as the target says; a row that comes before its parent waits for it, and is parked if it doesn't come. `trust`: the source has checked them, so the target neither checks nor acts; PostgreSQL then runs no triggers and rules but those that are ENABLE ALWAYS or REPLICA, and its role needs SET on `session_replication_role`. Foreign keys with ON DELETE or ON UPDATE actions are trusted only where the source's log carries what they do, from PostgreSQL."},
		{name: "order_wait", kind: duration, fallback: "5s", doc: "How long a change that violates a unique or foreign key waits for other lanes that stand at their end."},
		{name: "parked_limit", kind: number, fallback: "10000", low: 1, doc: "So many changes parked pause the sink; nothing is dropped."},
	}
}
