package config

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
)

// settle fills in the defaults that follow from other keys, and moves TLS settings out of the urls.
func (c *checker) settle(out *Config) {
	for i := range out.Pipelines {
		p := &out.Pipelines[i]
		path := fmt.Sprintf("pipelines[%d]", i)
		s := &p.Source
		if s.ID == "" {
			s.ID = p.Name
		}
		if s.Type == "postgres" {
			if s.Slot.Name == "" {
				s.Slot.Name = "tailwater_" + strings.ToLower(strings.ReplaceAll(s.ID, "-", "_"))
			}
			if s.Publication.Name == "" {
				s.Publication.Name = s.Slot.Name
			}
		}
		s.URL = c.address(server{engine: s.Type, url: s.URL, tls: &s.TLS, path: path + ".source"})
		for j := range p.Sinks {
			k := &p.Sinks[j]
			k.URL = c.address(server{engine: k.Type, url: k.URL, tls: &k.TLS, target: true, path: fmt.Sprintf("%s.sinks[%d]", path, j)})
		}
		if p.Stream.Type == Kafka {
			c.checkTLS(&p.Stream.TLS, path+".stream.tls")
			c.checkTLS(&p.Stream.Registry.TLS, path+".stream.registry.tls")
			if p.Stream.Format == Avro && !c.has(path+".stream.unset") {
				p.Stream.Unset = "placeholder"
			}
		}
	}
}

// server is one database server as the file names it.
type server struct {
	engine string
	url    string
	tls    *TLS
	target bool // a sink's
	path   string
}

// form is how the url is written.
func (s *server) form() string {
	switch {
	case s.engine == "postgres":
		return "postgres://user@host:5432/database"
	case s.target:
		return "mysql://user@host:3306/database"
	}
	return "mysql://user@host:3306/"
}

// Query parameters of a Postgres url: those that say how its TLS is, and the others that are allowed. All others are refused: they
// could carry a password, name another server, or change how values are written.
var (
	tlsParameters     = []string{"sslmode", "sslrootcert", "sslcert", "sslkey"}
	allowedParameters = []string{"application_name", "connect_timeout"}
)

// address checks a url and returns it without its TLS settings, which go to s.tls. No message repeats the url: it may hold a
// password by mistake.
func (c *checker) address(s server) string {
	at := s.path + ".url"
	refuse := func(message, suggestion string) string {
		c.report(Problem{Code: CodeValue, Path: at, Message: message, Suggestion: suggestion})
		return ""
	}
	form := s.form()
	u, err := url.Parse(s.url)
	switch {
	case err != nil:
		return refuse("is not a url of one server", "write it as "+form)
	case u.Scheme != s.engine && !(s.engine == "postgres" && u.Scheme == "postgresql") && !(s.engine == "mariadb" && u.Scheme == "mysql"):
		return refuse("has the wrong scheme for type: "+s.engine, "write it as "+form)
	case u.Hostname() == "" || u.Opaque != "":
		return refuse("names no host", "write it as "+form)
	case u.User == nil || u.User.Username() == "":
		return refuse("names no user", "write it as "+form)
	case u.Fragment != "":
		return refuse("has a # in it", "write it as %23")
	}
	if _, has := u.User.Password(); has {
		c.report(Problem{Code: CodeSecret, Path: at, Message: "carries a password", Suggestion: "take it out and write password: ${env:NAME} beside it"})
		return ""
	}
	database := strings.Trim(u.Path, "/")
	switch {
	case database == "" && (s.engine == "postgres" || s.target):
		return refuse("names no database", "write it as "+form)
	case s.engine == "postgres":
		c.urlTLS(u, s)
	case database != "" && !s.target:
		return refuse("names a database, and a server's one log holds all of them", "take it away; tables.include says which are read")
	case u.RawQuery != "":
		return refuse("has parameters", "take them away; the keys beside it say how the connection is made")
	}
	c.checkTLS(s.tls, s.path+".tls")
	return u.String()
}

// urlTLS moves the TLS settings of a Postgres url into s.tls and refuses the parameters that are not allowed.
func (c *checker) urlTLS(u *url.URL, s server) {
	q, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		c.report(Problem{Code: CodeValue, Path: s.path + ".url", Message: "has parameters that can't be read"})
		return
	}
	fields := map[string]*string{"sslmode": &s.tls.Mode, "sslrootcert": &s.tls.CA, "sslcert": &s.tls.Cert, "sslkey": &s.tls.Key}
	keys := map[string]string{"sslmode": "mode", "sslrootcert": "ca", "sslcert": "cert", "sslkey": "key"}
	for _, name := range tlsParameters {
		if !q.Has(name) {
			continue
		}
		_, given := c.places[s.path+".tls."+keys[name]]
		if given && *fields[name] != q.Get(name) {
			c.report(Problem{Code: CodeConflict, Path: s.path + ".url", Message: fmt.Sprintf("its %s differs from tls.%s", name, keys[name]), Suggestion: "keep one of them"})
		}
		c.places[s.path+".tls."+keys[name]] = c.places[s.path+".url"]
		*fields[name] = q.Get(name)
		q.Del(name)
	}
	for name := range q {
		if !slices.Contains(allowedParameters, name) {
			p := Problem{Code: CodeValue, Path: s.path + ".url", Message: fmt.Sprintf("the parameter %s is not taken here", quoted(name)), Suggestion: "allowed: " + strings.Join(append(slices.Clone(tlsParameters), allowedParameters...), ", ")}
			if strings.Contains(name, "pass") {
				p.Code, p.Suggestion = CodeSecret, "take it out and write password: ${env:NAME} beside it"
			}
			c.report(p)
		}
	}
	u.RawQuery = q.Encode()
}

// checkTLS refuses settings that contradict each other.
func (c *checker) checkTLS(t *TLS, path string) {
	modes := find(tlsKey(nil).keys, "mode").choices
	switch {
	case t.Mode == "allow" || t.Mode == "prefer":
		c.report(Problem{Code: CodeValue, Path: path + ".mode", Message: fmt.Sprintf("%q goes on in plain text when TLS fails", t.Mode), Suggestion: "choose one of: " + strings.Join(modes, ", ")})
	case !slices.Contains(modes, t.Mode):
		c.report(Problem{Code: CodeValue, Path: path + ".mode", Message: "must be one of: " + strings.Join(modes, ", ")})
	case t.Mode == TLSDisable && (t.CA != "" || t.Cert != "" || t.Key != ""):
		c.report(Problem{Code: CodeConflict, Path: path, Message: "names certificates, and its mode is disable", Suggestion: "take one of them away"})
	case t.Mode == TLSRequire && t.CA != "":
		c.report(Problem{Code: CodeConflict, Path: path, Message: "names a ca, and its mode is require, which checks nothing", Suggestion: "choose verify-full or verify-ca"})
	case (t.Cert == "") != (t.Key == ""):
		c.report(Problem{Code: CodeConflict, Path: path, Message: "cert and key belong together", Suggestion: "give both"})
	}
}
