package posix

import (
	"context"
	"errors"
)

// ordinary is a program of /usr/bin by name, nil when there is none.
func ordinary(name string) Program { return programs()[name] }

// Names lists the ordinary programs.
func Names() []string {
	var ns []string
	for n := range programs() {
		ns = append(ns, n)
	}
	return ns
}

// programs is a function, not a variable, because sudo, env and sh lead back to it.
func programs() map[string]Program {
	return map[string]Program{
		"[": test, "test": test, "true": succeed, "false": failing, "sync": syncDisk, "echo": echo, "printf": printf,
		"cat": cat, "head": head, "tail": tail, "wc": wc, "cut": cutFields, "tr": tr, "sort": sortLines, "uniq": uniq, "tee": tee, "sed": sed,
		"grep": grep, "xargs": xargs,
		"stat": stat, "touch": touch, "chmod": chmod, "chown": chown, "ls": ls, "find": find, "readlink": readlink, "realpath": realpath,
		"pwd": pwd, "basename": basename, "dirname": dirname,
		"mkdir": mkdir, "rmdir": rmdir, "rm": rm, "mv": mv, "cp": cp, "ln": ln, "install": install, "mktemp": mktemp, "truncate": truncate,
		"dd":        dd,
		"sha256sum": sha256sum, "md5sum": md5sum, "base64": base64Program,
		"sh": sh, "env": env, "sudo": sudo, "sleep": sleep, "timeout": timeout, "nohup": nohup, "id": id, "whoami": whoami, "getent": getent,
		"uname": uname, "hostname": hostname, "date": date, "uptime": uptime, "nproc": nproc, "free": free, "df": df, "mount": mount,
		"mountpoint": mountpoint,
		"ip":         ip, "pgrep": pgrep, "kill": kill, "which": which, "curl": curl,
	}
}

func succeed(context.Context, *Call) int { return 0 }

func failing(context.Context, *Call) int { return 1 }

// syncDisk makes what is named, or everything, last a power cut.
func syncDisk(_ context.Context, c *Call) int {
	o, err := c.parse()
	if err != nil {
		return c.usage("%v", err)
	}
	if len(o.args) == 0 {
		_ = c.Files.Sync() // all of them: nothing can fail
		return 0
	}
	status := 0
	for _, p := range o.args {
		f, err := c.Files.Open(p, 0, 0)
		if err != nil {
			status = c.fail(errors.Join(err))
			continue
		}
		f.Close()
		if err := c.Files.Sync(p); err != nil {
			status = c.fail(err)
		}
	}
	return status
}
