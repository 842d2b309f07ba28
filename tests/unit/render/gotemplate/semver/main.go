// Answers version constraints with the library that sprig uses: one JSON object a line, {"constraint": …, "version": …}.
package main

import (
	"bufio"
	"encoding/json"
	"os"

	"github.com/Masterminds/semver/v3"
)

func main() {
	input := bufio.NewScanner(os.Stdin)
	output := json.NewEncoder(os.Stdout)
	for input.Scan() {
		var request struct{ Constraint, Version string }
		if err := json.Unmarshal(input.Bytes(), &request); err != nil {
			panic(err)
		}
		answer := "error"
		constraint, err := semver.NewConstraint(request.Constraint)
		if err == nil {
			if version, err := semver.NewVersion(request.Version); err == nil {
				answer = "no"
				if constraint.Check(version) {
					answer = "yes"
				}
			}
		}
		if err := output.Encode(answer); err != nil {
			panic(err)
		}
	}
}
