package mysql_test

import (
	"testing"

	"github.com/tailwater-cdc/tailwater/pkg/testenv"
)

// TestTextsBesideAVector: the log counts a VECTOR among the columns that have a character set; the texts behind it keep their own.
func TestTextsBesideAVector(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"mysql97", "mariadb118"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			my := testenv.MySQL(t, name)
			value := map[bool]string{true: "vec_fromtext('[1]')", false: "string_to_vector('[1]')"}[my.MariaDB]
			my.Exec(lenient + "; create table a (id int primary key, v vector(1), t varchar(9) character set koi8r, b varbinary(9), w vector(1), g geometry, u varchar(9) character set latin1, l longtext character set utf8mb4); " +
				"create table d (id int primary key, v vector(1), t varchar(9) character set koi8r, u varchar(9) character set koi8r, w vector(1), x varchar(9) character set gbk)")
			s := startTail(t, my, config(t, my))
			my.Exec("insert into a values (1, " + value + ", 'Москва', 'bytes', " + value + ", ST_GeomFromText('POINT(1 2)'), 'é', '日'); insert into d values (1, " + value + ", 'Москва', 'az', " + value + ", '中')")
			s.want("new_shape a", `insert a + 1 "AACAPw==" "Москва" "Ynl0ZXM=" "AACAPw==" "AAAAAAEBAAAAAAAAAAAA8D8AAAAAAAAAQA==" "é" "日"`,
				"new_shape d", `insert d + 1 "AACAPw==" "Москва" "az" "AACAPw==" "中"`)
		})
	}
}
