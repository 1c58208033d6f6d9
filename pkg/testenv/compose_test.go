package testenv_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/tailwater-cdc/tailwater/pkg/testenv"
)

// No machine of ours runs a Docker engine, so what can be checked of docker-compose.yml without one is checked here.

var repository = filepath.Join("..", "..")

type composeFile struct {
	Services map[string]composeService `yaml:"services"`
	Volumes  map[string]any            `yaml:"volumes"`
}

type composeService struct {
	Image       string            `yaml:"image"`
	Build       *composeBuild     `yaml:"build"`
	Command     []string          `yaml:"command"`
	Environment map[string]string `yaml:"environment"`
	Ports       []string          `yaml:"ports"`
	Volumes     []string          `yaml:"volumes"`
	DependsOn   map[string]struct {
		Condition string `yaml:"condition"`
	} `yaml:"depends_on"`
	Healthcheck *struct {
		Test []string `yaml:"test"`
	} `yaml:"healthcheck"`
}

type composeBuild struct {
	Context    string `yaml:"context"`
	Dockerfile string `yaml:"dockerfile"`
}

func readCompose(t *testing.T) composeFile {
	t.Helper()
	var file composeFile
	decodeYAML(t, filepath.Join(repository, "docker-compose.yml"), &file)
	for _, name := range []string{"postgres", "kafka", "mysql", "tailwater"} {
		if _, ok := file.Services[name]; !ok {
			t.Fatalf("no service %s", name)
		}
	}
	return file
}

func decodeYAML(t *testing.T, path string, into any) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.Unmarshal(text, into); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
}

// pinned is an image with a full version: two numbers at least, and no word such as latest.
var pinned = regexp.MustCompile(`^[a-z/]+:[0-9]+\.[0-9]+(\.[0-9]+)?$`)

func TestComposeServices(t *testing.T) {
	t.Parallel()
	file := readCompose(t)
	for name, service := range file.Services {
		if service.Build == nil && !pinned.MatchString(service.Image) {
			t.Errorf("%s: image %q has no full version", name, service.Image)
		}
		if service.Healthcheck == nil || len(service.Healthcheck.Test) < 2 {
			t.Errorf("%s: no health check", name)
		}
		for _, port := range service.Ports {
			if !strings.HasPrefix(port, "127.0.0.1:") {
				t.Errorf("%s: port %s is open to others", name, port)
			}
		}
		for target, how := range service.DependsOn {
			if _, ok := file.Services[target]; !ok || how.Condition != "service_healthy" {
				t.Errorf("%s waits for %s: there %v, condition %q", name, target, ok, how.Condition)
			}
		}
		for _, volume := range service.Volumes {
			source, _, _ := strings.Cut(volume, ":")
			if _, named := file.Volumes[source]; named {
				continue
			}
			if info, err := os.Stat(filepath.Join(repository, source)); err != nil || !info.Mode().IsRegular() {
				t.Errorf("%s mounts %s, which is no volume and no file: %v", name, source, err)
			}
		}
	}
}

func TestComposeSettings(t *testing.T) {
	t.Parallel()
	file := readCompose(t)
	for name, settings := range map[string][]string{
		"postgres": {"wal_level=logical"},
		"mysql": {"--gtid-mode=ON", "--enforce-gtid-consistency=ON", "--binlog-format=ROW", "--binlog-row-image=FULL",
			"--binlog-row-metadata=FULL"},
	} {
		for _, setting := range settings {
			if !slices.Contains(file.Services[name].Command, setting) {
				t.Errorf("%s runs without %s", name, setting)
			}
		}
	}
	for setting, want := range map[string]string{
		"KAFKA_PROCESS_ROLES": "broker,controller", "KAFKA_AUTO_CREATE_TOPICS_ENABLE": "false",
	} {
		if have := file.Services["kafka"].Environment[setting]; have != want {
			t.Errorf("kafka's %s is %q, want %q", setting, have, want)
		}
	}
}

// TestComposePipeline holds the sample pipeline against the services it runs beside.
func TestComposePipeline(t *testing.T) {
	t.Parallel()
	file := readCompose(t)
	var mounted string
	for _, volume := range file.Services["tailwater"].Volumes {
		if source, target, _ := strings.Cut(volume, ":"); strings.HasPrefix(target, "/etc/tailwater/tailwater.yaml") {
			mounted = filepath.Join(repository, source)
		}
	}
	if mounted == "" {
		t.Fatal("no configuration is mounted")
	}
	text, err := os.ReadFile(mounted)
	if err != nil {
		t.Fatal(err)
	}
	for _, found := range regexp.MustCompile(`\$\{env:([A-Z_]+)`).FindAllStringSubmatch(string(text), -1) {
		if _, set := file.Services["tailwater"].Environment[found[1]]; !set {
			t.Errorf("the configuration reads %s, which the service doesn't set", found[1])
		}
	}
	hosts := regexp.MustCompile(`(?:@|")([a-z]+):[0-9]+`).FindAllStringSubmatch(string(text), -1)
	if len(hosts) != 3 {
		t.Errorf("%d addresses in the configuration, want source, broker and sink", len(hosts))
	}
	for _, found := range hosts {
		if _, waits := file.Services["tailwater"].DependsOn[found[1]]; !waits {
			t.Errorf("the configuration names %s, which the service doesn't wait for", found[1])
		}
	}
	var config map[string]any
	decodeYAML(t, mounted, &config)
}

func TestDockerfile(t *testing.T) {
	t.Parallel()
	build := readCompose(t).Services["tailwater"].Build
	text, err := os.ReadFile(filepath.Join(repository, build.Context, build.Dockerfile))
	if err != nil {
		t.Fatal(err)
	}
	from := regexp.MustCompile(`(?m)^FROM (\S+)`).FindAllStringSubmatch(string(text), -1)
	if len(from) != 2 || !regexp.MustCompile(`^golang:1\.\d+\.\d+-`).MatchString(from[0][1]) || from[1][1] != "scratch" {
		t.Errorf("stages %v, want a pinned Go and then scratch", from)
	}
	for _, want := range []string{"CGO_ENABLED=0", "\nUSER 65532:65532\n", "\nENTRYPOINT [\"/usr/local/bin/tailwater\"]\n"} {
		if !strings.Contains(string(text), want) {
			t.Errorf("the Dockerfile lacks %q", want)
		}
	}
}

// TestComposeInit runs the sample database's script on a real server, by its own client.
func TestComposeInit(t *testing.T) {
	t.Parallel()
	s := testenv.StartPostgres(t, 18, testenv.Options{})
	script, err := os.ReadFile(filepath.Join(repository, "deploy", "docker", "postgres-init.sql"))
	if err != nil {
		t.Fatal(err)
	}
	before, after, found := strings.Cut(string(script), "\\connect shop\n")
	if !found {
		t.Fatal("the script doesn't go over to the database shop")
	}
	for statement := range strings.SplitSeq(before, ";") {
		s.Exec(statement) // one each: a database is not made inside a transaction
	}
	s.URL = strings.Replace(s.URL, "/postgres?", "/shop?", 1)
	s.Psql(after)
	if have := s.Psql("select count(*) from orders"); have != "2\n" {
		t.Errorf("orders has %q rows", have)
	}
}

// TestComposeConfig asks Docker's own client, where there is one.
func TestComposeConfig(t *testing.T) {
	t.Parallel()
	if err := exec.Command("docker", "compose", "version").Run(); err != nil {
		t.Logf("not checked by docker compose: %v", err)
		return
	}
	cmd := exec.CommandContext(t.Context(), "docker", "compose", "config", "-q")
	cmd.Dir = repository
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("docker compose config: %v\n%s", err, out)
	}
}
