package kube

import (
	"context"
	"encoding/json"
	"fmt"

	"kiban.dev/kiban/lifecycle"
)

// toldName is the ConfigMap in kube-system in which a cluster keeps what people were told of it, one key a message.
const toldName = "kiban-told"

// UpdateTold has edit change what is remembered of the messages that people were told. It is called again, with what is there by then,
// when another writer was faster, so that of two that claim the same message one has it. What it leaves as it is, is not written.
func (c *Client) UpdateTold(ctx context.Context, edit func(map[string]lifecycle.Told)) error {
	if err := c.connect(ctx); err != nil {
		return err
	}
	return c.keep(ctx, toldName, func(data map[string]string) (map[string]string, error) {
		told := readTold(data)
		edit(told)
		return withTold(data, told)
	})
}

// readTold passes over what it can't read.
func readTold(data map[string]string) map[string]lifecycle.Told {
	out := map[string]lifecycle.Told{}
	for key, text := range data {
		var t lifecycle.Told
		if err := json.Unmarshal([]byte(text), &t); err == nil && !t.At.IsZero() {
			out[key] = t
		}
	}
	return out
}

// withTold makes data say what is remembered now. What could not be read stays as it is.
func withTold(data map[string]string, told map[string]lifecycle.Told) (map[string]string, error) {
	before := readTold(data)
	for key := range before {
		if _, kept := told[key]; !kept {
			delete(data, key)
		}
	}
	for key, t := range told {
		if was, known := before[key]; known && was == t {
			continue
		}
		b, err := json.Marshal(t)
		if err != nil {
			return nil, fmt.Errorf("remember what was told: %w", err)
		}
		if data == nil {
			data = map[string]string{}
		}
		data[key] = string(b)
	}
	return data, nil
}
