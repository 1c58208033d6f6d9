package typetable

// Refusal is what a source can't carry: it stops there and says so.
type Refusal struct {
	What  string   // for the page
	Setup string   // what is there already
	SQL   string   // what it stops at
	Names []string // that the message has
	Only  []string // servers
}

// MySQLRefusals are what MySQL and MariaDB write that has no row image, or one that isn't a row's.
func MySQLRefusals() []Refusal {
	return []Refusal{
		{"a partial update of a JSON document (`binlog_row_value_options = PARTIAL_JSON`, of one session or of all): the log has a part of the document only",
			`create table refused (id int primary key, j json); insert into refused values (1, '{"a": 1, "b": "long enough to be worth it"}')`,
			"set session binlog_row_value_options = PARTIAL_JSON; update refused set j = json_set(j, '$.a', 2); set session binlog_row_value_options = ''",
			[]string{"binlog_row_value_options"}, []string{mysql97}},
		{"a table `WITH SYSTEM VERSIONING`: its log holds its history",
			"select 1", "create table refused (id int primary key) with system versioning; insert into refused values (1)",
			[]string{"refused", "SYSTEM VERSIONING"}, []string{mariadb10, mariadb118}},
	}
}
