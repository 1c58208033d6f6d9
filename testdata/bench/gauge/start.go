package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"time"

	"github.com/segmentio/kafka-go"
)

// start prints the seconds from the start of a command to the first record behind the topic's present end, and ends the command.
func start(ctx context.Context, args []string) (err error) {
	flags := flag.NewFlagSet("start", flag.ExitOnError)
	broker := flags.String("broker", "", "Kafka's address")
	topic := flags.String("topic", "", "topic")
	_ = flags.Parse(args) // ExitOnError
	client := &kafka.Client{Addr: kafka.TCP(*broker)}
	meta, err := client.Metadata(ctx, &kafka.MetadataRequest{Topics: []string{*topic}})
	if err != nil {
		return err
	}
	end := func() (sum int64, err error) {
		ask := &kafka.ListOffsetsRequest{Topics: map[string][]kafka.OffsetRequest{}}
		for _, p := range meta.Topics[0].Partitions {
			ask.Topics[*topic] = append(ask.Topics[*topic], kafka.LastOffsetOf(p.ID))
		}
		res, err := client.ListOffsets(ctx, ask)
		if err != nil {
			return 0, err
		}
		for _, p := range res.Topics[*topic] {
			sum += p.LastOffset
		}
		return sum, nil
	}
	was, err := end()
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, flags.Arg(0), flags.Args()[1:]...)
	cmd.Stdout, cmd.Stderr = os.Stderr, os.Stderr
	begun := time.Now()
	if err := cmd.Start(); err != nil {
		return err
	}
	defer func() {
		err = errors.Join(err, cmd.Process.Signal(syscall.SIGTERM), cmd.Wait())
	}()
	t := time.NewTicker(2 * time.Millisecond)
	defer t.Stop()
	// A partition that is fenced gets a control record and then the table's shape marker: neither is the change, which comes last.
	marks := int64(2 * len(meta.Topics[0].Partitions))
	for now := was; now < was+marks+1; {
		select {
		case <-t.C:
		case <-ctx.Done():
			return ctx.Err()
		}
		if now, err = end(); err != nil {
			return err
		}
	}
	fmt.Printf("%.2f\n", time.Since(begun).Seconds())
	return nil
}
