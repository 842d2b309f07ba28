// Package pairs reads the `key: value` lines of small configuration files.
package pairs

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"time"
)

// Pairs are a file's keys and values; nested lines keep their own key.
type Pairs map[string]string

// Read reads a file; a missing one is empty.
func Read(path string) (Pairs, error) {
	content, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return Pairs{}, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading the config file: %w", err)
	}
	found := Pairs{}
	for _, line := range strings.Split(string(content), "\n") {
		line = strings.TrimSpace(line)
		key, value, isPair := strings.Cut(line, ":")
		if isPair && !strings.HasPrefix(line, "#") {
			found[strings.TrimSpace(key)] = strings.Trim(strings.TrimSpace(value), `"'`)
		}
	}
	return found, nil
}

// Seconds is a value in seconds, or the fallback when it is none.
func (p Pairs) Seconds(key string, fallback time.Duration) time.Duration {
	if seconds, err := strconv.Atoi(p[key]); err == nil && seconds > 0 {
		return time.Duration(seconds) * time.Second
	}
	return fallback
}
