package myvalue

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// ErrEngine says that a table's engine keeps no rows of the table, or changes them without the log.
var ErrEngine = errors.New("its rows can't be captured")

// keeping are engines whose tables hold rows of their own that change by statements only.
var keeping = []string{"InnoDB", "MyISAM", "Aria", "MEMORY", "ARCHIVE", "CSV", "ROCKSDB", "TokuDB", "Mroonga"}

// elsewhere is why others are not among them.
//
// Source: MySQL 9.7 reference manual, chapters 18 and 25; MariaDB 11.8 documentation, storage engines.
var elsewhere = map[string]string{
	"BLACKHOLE":   "it keeps none, and the log has those that came and not what became of them",
	"MRG_MYISAM":  "they are those of other tables, and the log has a change under the name by which it was made",
	"FEDERATED":   "they are those of a table of another server, which others change too",
	"SPIDER":      "they are those of tables of other servers, which others change too",
	"CONNECT":     "they are those of a file or of another server, which others change too",
	"S3":          "they are in an object store, where other servers change them",
	"NDBCLUSTER":  "the cluster changes them beside this server, and by default the log has its updates as inserts of the changed columns",
	"COLUMNSTORE": "they are loaded without the log",
	"OQGRAPH":     "they are computed from another table",
	"SPHINX":      "they are an index's, which others change too",
}

// Keeps returns ErrEngine for an engine of which it isn't known that the log has every change of its tables' rows. "" is a table that can't be opened.
func Keeps(engine string) error {
	if engine == "" || slices.ContainsFunc(keeping, func(e string) bool { return strings.EqualFold(e, engine) }) {
		return nil
	}
	why := elsewhere[strings.ToUpper(engine)]
	if why == "" {
		why = "whether the log has every change of them isn't known"
	}
	return fmt.Errorf("it is %s, so %w: %s", engine, ErrEngine, why)
}
