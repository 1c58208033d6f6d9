package config

import (
	"fmt"
	"net"
	"net/url"
	"regexp"
	"strconv"
	"strings"
)

var (
	namePattern   = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$`)
	slotPattern   = regexp.MustCompile(`^[a-z0-9_]{1,63}$`)
	prefixPattern = regexp.MustCompile(`^[A-Za-z0-9_-][A-Za-z0-9._-]{0,99}$`)
	placeholder   = regexp.MustCompile(`\{[^}]*\}?`)
)

// crossCheck reports what only shows when several keys are seen together.
func (c *checker) crossCheck(out *Config) {
	c.checkServer(&out.Server)
	if len(out.Pipelines) == 0 {
		c.report(Problem{Code: CodeMissing, Path: "pipelines", Message: "names no pipeline", Suggestion: "give at least one"})
	}
	pipelines := unique{c: c, what: "pipeline", seen: map[string]string{}}
	ids := unique{c: c, what: "source id", seen: map[string]string{}}
	slots := unique{c: c, what: "slot on this server", seen: map[string]string{}}
	for i := range out.Pipelines {
		p := &out.Pipelines[i]
		path := fmt.Sprintf("pipelines[%d]", i)
		pipelines.add(p.Name, path+".name")
		ids.add(p.Source.ID, c.nearest(path+".source.id", path+".name"))
		c.checkName(p.Name, path+".name")
		if c.has(path + ".source.id") {
			c.checkName(p.Source.ID, path+".source.id")
		}
		if p.Source.Type == "postgres" {
			slots.add(hostOf(p.Source.URL)+" "+p.Source.Slot.Name, c.nearest(path+".source.slot.name", path+".source"))
		}
		c.checkSource(&p.Source, path+".source")
		c.checkStream(p, path)
		c.checkSinks(p, path)
	}
}

// has says that the file has path.
func (c *checker) has(path string) bool {
	_, ok := c.places[path]
	return ok
}

// nearest returns the first of two paths that the file has.
func (c *checker) nearest(path, other string) string {
	if c.has(path) {
		return path
	}
	return other
}

// unique finds values that stand twice. Case doesn't count: file names and people don't keep it apart.
type unique struct {
	c    *checker
	what string
	seen map[string]string
}

func (u *unique) add(value, path string) {
	folded := strings.ToLower(value)
	if first, twice := u.seen[folded]; twice && value != "" {
		u.c.report(Problem{Code: CodeConflict, Path: path, Message: fmt.Sprintf("the same %s stands at %s already", u.what, first), Suggestion: "give each its own"})
		return
	}
	u.seen[folded] = path
}

func hostOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	port := u.Port()
	if port == "" {
		port = "5432"
	}
	return u.Hostname() + ":" + port
}

func (c *checker) checkName(name, path string) {
	if !namePattern.MatchString(name) {
		c.report(Problem{Code: CodeValue, Path: path, Message: "must be 1 to 63 letters, digits, _ and -, the first a letter or digit"})
	}
}

func (c *checker) checkServer(s *Server) {
	if s.StateDir == "" {
		c.report(Problem{Code: CodeValue, Path: "server.state_dir", Message: "is empty", Suggestion: "name a folder"})
	}
	if (s.TLS.Cert == "") != (s.TLS.Key == "") {
		c.report(Problem{Code: CodeConflict, Path: "server.tls", Message: "cert and key belong together", Suggestion: "give both"})
	}
	if s.Listen == ListenOff {
		return
	}
	host, port, err := net.SplitHostPort(s.Listen)
	if n, numErr := strconv.Atoi(port); err != nil || numErr != nil || n < 0 || n > 65535 {
		c.report(Problem{Code: CodeValue, Path: "server.listen", Message: "must be host:port or off", Suggestion: "write it as 127.0.0.1:7300"})
		return
	}
	if !IsLoopback(host) && s.TLS.Cert == "" {
		c.report(Problem{Code: CodeConflict, Path: "server.listen", Message: "others reach this address, and there is no server.tls", Suggestion: "listen on 127.0.0.1, or give server.tls cert and key"})
	}
}

// ListenOff is the Server.Listen that serves nothing.
const ListenOff = "off"

// IsLoopback says that only this machine reaches host.
func IsLoopback(host string) bool {
	if host == "localhost" {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}

func (c *checker) checkSource(s *Source, path string) {
	if s.Type == "postgres" && !slotPattern.MatchString(s.Slot.Name) {
		c.report(Problem{Code: CodeValue, Path: path + ".slot.name", Message: "must be 1 to 63 lower-case letters, digits and _"})
	}
	if s.Type == "postgres" && (s.Publication.Name == "" || len(s.Publication.Name) > 63) {
		c.report(Problem{Code: CodeValue, Path: path + ".publication.name", Message: "must be 1 to 63 bytes"})
	}
	if len(s.Tables.Include) == 0 {
		c.report(Problem{Code: CodeMissing, Path: path + ".tables.include", Message: "names no table", Suggestion: `write ["public.*"] for all tables of a schema`})
	}
	for list, patterns := range map[string][]string{"include": s.Tables.Include, "exclude": s.Tables.Exclude} {
		for i, p := range patterns {
			if schema, table, ok := strings.Cut(p, "."); !ok || schema == "" || table == "" {
				c.report(Problem{Code: CodeValue, Path: fmt.Sprintf("%s.tables.%s[%d]", path, list, i), Message: "must be schema.table", Suggestion: `write "public.orders" or "public.*"`})
			}
		}
	}
}

func (c *checker) checkStream(p *Pipeline, path string) {
	s := &p.Stream
	at := path + ".stream"
	if s.Type == Direct {
		if s.Atomic && s.Lanes > 1 {
			c.report(Problem{Code: CodeConflict, Path: at + ".lanes", Message: "several lanes split a transaction, and atomic is true", Suggestion: "write atomic: false, or take lanes away"})
		}
		if len(p.Sinks) == 0 {
			c.report(Problem{Code: CodeMissing, Path: path + ".sinks", Message: "a direct stream has no sink to go to", Suggestion: "give a sink, or a stream of type: kafka"})
		}
		return
	}
	if len(s.Brokers) == 0 {
		c.report(Problem{Code: CodeMissing, Path: at + ".brokers", Message: "names no broker"})
	}
	for i, b := range s.Brokers {
		if host, port, err := net.SplitHostPort(b); err != nil || host == "" || port == "" {
			c.report(Problem{Code: CodeValue, Path: fmt.Sprintf("%s.brokers[%d]", at, i), Message: "must be host:port"})
		}
	}
	c.checkSASL(s, at)
	c.checkFormat(p, at)
	if s.Replication == 0 {
		c.report(Problem{Code: CodeValue, Path: at + ".replication", Message: "must be 1 or more, or -1 for the broker's default"})
	}
	if !prefixPattern.MatchString(s.Prefix) {
		c.report(Problem{Code: CodeValue, Path: at + ".prefix", Message: "must be 1 to 100 letters, digits, ., _ and -, the first not a ."})
	}
	for _, hole := range placeholder.FindAllString(s.Topic, -1) {
		if hole != "{prefix}" && hole != "{schema}" && hole != "{table}" {
			c.report(Problem{Code: CodeValue, Path: at + ".topic", Message: "knows no " + quoted(hole), Suggestion: "there are {prefix}, {schema} and {table}"})
		}
	}
	if !strings.Contains(s.Topic, "{table}") {
		c.report(Problem{Code: CodeValue, Path: at + ".topic", Message: "must hold {table}: one table a topic"})
	}
}

func (c *checker) checkSASL(s *Stream, at string) {
	switch {
	case s.SASL.Mechanism == "" && (s.SASL.User != "" || s.SASL.Password.IsSet()):
		c.report(Problem{Code: CodeMissing, Path: at + ".sasl.mechanism", Message: "is missing", Suggestion: "write mechanism: plain"})
	case s.SASL.Mechanism != "" && (s.SASL.User == "" || !s.SASL.Password.IsSet()):
		c.report(Problem{Code: CodeMissing, Path: at + ".sasl", Message: "needs user and password"})
	case s.SASL.Mechanism == "plain" && s.TLS.Mode == TLSDisable:
		c.warn(Problem{Code: CodeSecret, Path: at + ".sasl.mechanism", Message: "sends the password in plain text, and tls.mode is disable", Suggestion: "use TLS"})
	}
}

func (c *checker) checkSinks(p *Pipeline, path string) {
	sinks := unique{c: c, what: "sink", seen: map[string]string{}}
	for i := range p.Sinks {
		s := &p.Sinks[i]
		at := fmt.Sprintf("%s.sinks[%d]", path, i)
		sinks.add(s.Name, at+".name")
		c.checkName(s.Name, at+".name")
		if s.Type == "postgres" && (len(s.Schema) > 63 || strings.ContainsRune(s.Schema, 0)) {
			c.report(Problem{Code: CodeValue, Path: at + ".schema", Message: "must be at most 63 bytes"})
		}
	}
}
