package main

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
)

// grant is what one server has to allow.
type grant struct {
	Pipeline string `json:"pipeline"`
	Of       string `json:"of"` // source, sink NAME or kafka
	Text     string `json:"text"`
}

func (a *app) grantsCommand() *cobra.Command {
	return &cobra.Command{
		Use:       "grants [source|sink|kafka]",
		Short:     "Prints the least privileges that the config needs, as SQL or ACL commands",
		ValidArgs: []string{"source", "sink", "kafka"},
		Args:      cobra.MatchAll(cobra.MaximumNArgs(1), cobra.OnlyValidArgs),
		RunE:      a.verb(a.grants),
	}
}

func (a *app) grants(_ context.Context, args []string) (outcome, error) {
	_, all, err := a.wirings()
	if err != nil {
		return outcome{}, err
	}
	what := strings.Join(args, "")
	var out []grant
	for _, w := range all {
		some, err := grantsOf(w, what)
		if err != nil {
			return outcome{}, err
		}
		out = append(out, some...)
	}
	return outcome{summary: fmt.Sprintf("grants for %d servers", len(out)), result: out, text: func(dst io.Writer) {
		for _, g := range out {
			comment := "--"
			if g.Of == "kafka" {
				comment = "#"
			}
			fmt.Fprintf(dst, "%s pipeline %s, %s\n%s", comment, g.Pipeline, g.Of, g.Text)
		}
	}}, nil
}

// grantsOf are the grants of one pipeline: of its source, its sinks, its Kafka, or of all where what is "".
func grantsOf(w wiring, what string) ([]grant, error) {
	p := w.pipeline
	var out []grant
	add := func(of, text string, err error) error {
		out = append(out, grant{Pipeline: p.Name, Of: of, Text: text})
		return err
	}
	if what == "" || what == "source" {
		text, err := sourceEngines()[p.Source.Type].grants(w)
		if err := add("source", text, err); err != nil {
			return nil, err
		}
	}
	if stream := streamEngines()[p.Stream.Type]; stream.grants != nil && (what == "" || what == "kafka") {
		text, err := stream.grants(w)
		if err := add("kafka", text, err); err != nil {
			return nil, err
		}
	}
	for i := range p.Sinks {
		if what != "" && what != "sink" {
			break
		}
		text, err := sinkEngines()[p.Sinks[i].Type].grants(w, &p.Sinks[i])
		if err := add("sink "+p.Sinks[i].Name, text, err); err != nil {
			return nil, err
		}
	}
	return out, nil
}
