package systemd

import (
	"errors"
	"path"

	"kiban.dev/kiban/lab/machine/disk"
)

// multiUser is where links to the units lie that start at boot.
const multiUser = folder + "/multi-user.target.wants"

// Enable makes a unit start at boot, as its [Install] section says.
func (m *Manager) Enable(files disk.View, name string) error {
	_, err := m.enable(files, name)
	return err
}

// Disable undoes Enable. A unit that is not there is no error.
func (m *Manager) Disable(files disk.View, name string) error {
	_, err := m.disable(files, name)
	if errors.Is(err, ErrNoUnit) {
		return nil
	}
	return err
}

// enable returns the links that it made; a unit without an [Install] section gets none.
func (m *Manager) enable(files disk.View, name string) ([]string, error) {
	u, ok := load(m.opts.Files, name)
	switch {
	case !ok:
		return nil, ErrNoUnit
	case u.masked:
		return nil, ErrMasked
	}
	var made []string
	for _, target := range u.wantedBy {
		dir := folder + "/" + target + ".wants"
		if err := files.MkdirAll(dir, 0o755); err != nil {
			return made, err
		}
		link := dir + "/" + name + ".service"
		if at, err := files.Readlink(link); err == nil {
			if at == u.path {
				continue
			}
			if err := files.Remove(link); err != nil {
				return made, err
			}
		}
		if err := files.Symlink(u.path, link); err != nil {
			return made, err
		}
		made = append(made, link)
	}
	return made, nil
}

// disable returns the links that it took away.
func (m *Manager) disable(files disk.View, name string) ([]string, error) {
	if _, ok := load(m.opts.Files, name); !ok && len(m.links(name)) == 0 {
		return nil, ErrNoUnit
	}
	links := m.links(name)
	for _, l := range links {
		if err := files.Remove(l); err != nil {
			return nil, err
		}
		_ = files.Remove(path.Dir(l)) // an empty folder goes; one that is not stays
	}
	return links, nil
}

// links are those that make a unit start with another.
func (m *Manager) links(name string) []string {
	infos, err := m.opts.Files.ReadDir(folder)
	if err != nil {
		return nil
	}
	var ls []string
	for _, i := range infos {
		l := folder + "/" + i.Name() + "/" + name + ".service"
		if path.Ext(i.Name()) != ".wants" {
			continue
		}
		if _, err := m.opts.Files.Lstat(l); err == nil {
			ls = append(ls, l)
		}
	}
	return ls
}

// Enabled reports whether a unit starts at boot.
func (m *Manager) Enabled(name string) bool { return len(m.links(name)) > 0 }

// mask keeps a unit from being started, by a link to /dev/null in its place.
func mask(files disk.View, name string) error {
	p := folder + "/" + name + ".service"
	if at, err := files.Readlink(p); err == nil && at == "/dev/null" {
		return nil
	}
	if _, err := files.Lstat(p); err == nil {
		return errors.New("file \"" + p + "\" already exists")
	}
	return files.Symlink("/dev/null", p)
}

func unmask(files disk.View, name string) error {
	p := folder + "/" + name + ".service"
	if at, err := files.Readlink(p); err != nil || at != "/dev/null" {
		return nil
	}
	return files.Remove(p)
}

// fileState is a unit file's state as `systemctl is-enabled` names it, "" when there is no such file.
func (m *Manager) fileState(name string) string {
	u, ok := load(m.opts.Files, name)
	switch {
	case !ok:
		return ""
	case u.masked:
		return "masked"
	case m.Enabled(name):
		return "enabled"
	case len(u.wantedBy) == 0:
		return "static"
	}
	return "disabled"
}
