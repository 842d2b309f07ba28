package main

import (
	"flag"
	"fmt"
	"os"
	"strings"
)

func first(values ...string) string {
	for _, value := range values {
		if value != "" {
			return value
		}
	}
	return ""
}

func stringFlag(flags *flag.FlagSet, target *string, initial string, names ...string) {
	for _, name := range names {
		flags.StringVar(target, name, initial, "")
	}
}

func boolFlag(flags *flag.FlagSet, target *bool, names ...string) {
	for _, name := range names {
		flags.BoolVar(target, name, false, "")
	}
}

// labels collects repeated `--label key=value` flags.
type labels map[string]string

func (l labels) String() string { return "" }

func (l labels) Set(text string) error {
	key, value, isPair := strings.Cut(text, "=")
	if !isPair {
		return fmt.Errorf("label %q is not key=value", text)
	}
	l[key] = value
	return nil
}

// parse reads flags that may stand before or after the positional arguments.
func parse(flags *flag.FlagSet, args []string) ([]string, error) {
	flags.SetOutput(os.Stderr)
	var rest []string
	for {
		if err := flags.Parse(args); err != nil {
			return nil, err
		}
		if flags.NArg() == 0 {
			return rest, nil
		}
		rest = append(rest, flags.Arg(0))
		args = flags.Args()[1:]
	}
}
