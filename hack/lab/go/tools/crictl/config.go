package main

import (
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"time"
)

// settings are the `key: value` lines of crictl.yaml.
type settings map[string]string

// readConfig reads crictl.yaml; a missing file is an empty one.
func readConfig(path string) (settings, error) {
	content, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return settings{}, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading the config file: %w", err)
	}
	found := settings{}
	for _, line := range strings.Split(string(content), "\n") {
		line = strings.TrimSpace(line)
		key, value, isPair := strings.Cut(line, ":")
		if isPair && !strings.HasPrefix(line, "#") {
			found[strings.TrimSpace(key)] = strings.Trim(strings.TrimSpace(value), `"'`)
		}
	}
	return found, nil
}

// timeout is the file's `timeout` in seconds, else 10 seconds.
func (s settings) timeout() time.Duration {
	if seconds, err := strconv.Atoi(s["timeout"]); err == nil && seconds > 0 {
		return time.Duration(seconds) * time.Second
	}
	return 10 * time.Second
}

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
