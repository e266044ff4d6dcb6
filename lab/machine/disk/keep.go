package disk

import (
	"encoding/json"
	"os"
)

// Save writes owners and modes to a real file, for a lab that is to go on later.
func (d *Disk) Save(file string) error {
	d.mu.Lock()
	b, err := json.Marshal(d.owners)
	d.mu.Unlock()
	if err != nil {
		return err
	}
	return os.WriteFile(file, b, 0o600)
}

// Load reads what Save wrote.
func (d *Disk) Load(file string) error {
	b, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	owners := map[string]owner{}
	if err := json.Unmarshal(b, &owners); err != nil {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.owners = owners
	return nil
}
