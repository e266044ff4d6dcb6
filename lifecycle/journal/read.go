package journal

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"

	"kiban.dev/kiban/lifecycle"
)

// Read gives the events of the journal at path, in order. Lines that an interrupted write tore are passed over; an intact line of another
// major format is an error, because its meaning is not known here.
func Read(path string) ([]lifecycle.Event, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("journal: %w", err)
	}
	events, err := parse(b)
	if err != nil {
		return nil, fmt.Errorf("journal: %s: %w", path, err)
	}
	return events, nil
}

func parse(b []byte) ([]lifecycle.Event, error) {
	var events []lifecycle.Event
	for n, line := range bytes.Split(b, []byte{'\n'}) {
		var e lifecycle.Event
		if len(bytes.TrimSpace(line)) == 0 || !json.Valid(line) {
			continue // torn
		}
		if err := json.Unmarshal(line, &e); err != nil {
			return nil, fmt.Errorf("line %d: %w", n+1, err)
		}
		if !lifecycle.SameMajor(e.Format, lifecycle.EventFormat) {
			return nil, fmt.Errorf("line %d: format %q, but this kiban reads %s", n+1, e.Format, lifecycle.EventFormat)
		}
		events = append(events, e)
	}
	return events, nil
}
