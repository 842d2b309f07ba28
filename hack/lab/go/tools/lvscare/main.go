// Command lvscare stands in for the load balancer of that name: it takes the arguments that installers
// give it and keeps an IPVS virtual server with health-checked real servers, through ipvsadm.
//
//	lvscare care --vs VIP:6443 --rs A:6443 --rs B:6443 --health-path /healthz --health-schem https [--run-once]
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"
)

// settings are the command's flags.
type settings struct {
	virtual      string
	real         servers
	path, schema string
	scheduler    string
	mode         string
	interval     time.Duration
	timeout      time.Duration
	runOnce      bool
}

type servers []string

func (s *servers) String() string { return strings.Join(*s, ",") }

func (s *servers) Set(value string) error {
	*s = append(*s, strings.Split(value, ",")...)
	return nil
}

func main() {
	log.SetFlags(log.LstdFlags | log.Lmsgprefix)
	if len(os.Args) < 2 || os.Args[1] != "care" {
		log.Fatal("usage: lvscare care --vs VIP:PORT --rs ADDRESS:PORT ...")
	}
	wanted, err := parse(os.Args[2:])
	if err != nil {
		log.Fatal(err)
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	if err := care(ctx, wanted); err != nil {
		log.Fatal(err)
	}
}

func parse(args []string) (settings, error) {
	var wanted settings
	var interval, timeout int
	var ignoredText string
	var ignoredFlag bool
	flags := flag.NewFlagSet("care", flag.ContinueOnError)
	flags.StringVar(&wanted.virtual, "vs", "", "virtual server")
	flags.Var(&wanted.real, "rs", "real server")
	flags.StringVar(&wanted.path, "health-path", "/healthz", "")
	flags.StringVar(&wanted.schema, "health-schem", "https", "")
	flags.StringVar(&wanted.scheduler, "scheduler", "rr", "")
	flags.StringVar(&wanted.mode, "mode", "route", "")
	flags.IntVar(&interval, "interval", 5, "seconds")
	flags.IntVar(&timeout, "timeout", 10, "seconds")
	flags.BoolVar(&wanted.runOnce, "run-once", false, "")
	for _, name := range []string{"logger", "health-req-method", "health-req-body", "health-status", "iface", "masqueradebit", "ip"} {
		flags.StringVar(&ignoredText, name, "", "accepted, without effect")
	}
	for _, name := range []string{"health-insecure-skip-verify", "clean"} {
		flags.BoolVar(&ignoredFlag, name, false, "accepted, without effect")
	}
	if err := flags.Parse(args); err != nil {
		return settings{}, err
	}
	wanted.interval = time.Duration(interval) * time.Second
	wanted.timeout = time.Duration(timeout) * time.Second
	if wanted.virtual == "" || len(wanted.real) == 0 {
		return settings{}, fmt.Errorf("--vs and at least one --rs are needed")
	}
	if wanted.mode != "route" {
		return settings{}, fmt.Errorf("mode %q is not in this stand-in", wanted.mode)
	}
	return wanted, nil
}
