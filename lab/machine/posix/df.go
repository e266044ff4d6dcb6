package posix

import (
	"context"
	"errors"
	"fmt"
)

// df answers for the machine's one disk.
func df(_ context.Context, c *Call) int {
	o, err := c.parse("P", "k", "m", "B:", "T", "a", "output=")
	unit, title := int64(1024), "1K-blocks"
	if o.has("P") {
		title = "1024-blocks"
	}
	switch o.latest("k", "m", "B") {
	case "m":
		unit, title = 1<<20, "1M-blocks"
	case "B":
		switch b := o.value("B"); b {
		case "1", "1B":
			unit, title = 1, "1B-blocks"
		case "M", "1M":
			unit, title = 1<<20, "1M-blocks"
		case "K", "1K", "1k", "k":
		default:
			err = fmt.Errorf("-B %s is not in the lab", b)
		}
	}
	if o.has("P") && unit != 1024 {
		title = fmt.Sprintf("%d-blocks", unit)
	}
	hw := c.System.Hardware.Filled()
	total, free := hw.Disk, hw.DiskFree
	if c.System.Disk.Full() {
		free = 0
	}
	col := o.value("output")
	column := func(title, value string) string {
		width := max(len(title), len(value))
		return fmt.Sprintf("%*s\n%*s", width, title, width, value)
	}
	columns := map[string]string{
		"avail": column("Avail", fmt.Sprint(free/unit)), "size": column(title, fmt.Sprint(total/unit)), "used": column("Used",
			fmt.Sprint((total-free)/unit)),
		"pcent": column("Use%", fmt.Sprintf("%d%%", percent(total, free))),
	}
	if err == nil && o.has("output") && (columns[col] == "" || o.has("P", "T")) {
		err = errors.New("that output is not in the lab")
	}
	if err != nil {
		return c.usage("%v", err)
	}
	paths := o.args
	if len(paths) == 0 {
		paths = []string{"/"}
	}
	status, seen := 0, 0
	for _, p := range paths {
		if _, err := c.Files.Stat(p); err != nil {
			status = c.fail(err)
			continue
		}
		if o.has("output") {
			fmt.Fprintln(c.Out, columns[col])
			break
		}
		seen++
		if seen == 1 {
			c.dfHeader(o, title)
		}
		if seen == 1 || len(o.args) > 0 {
			c.dfLine(o, total/unit, free/unit, percent(total, free))
		}
	}
	return status
}

// percent is rounded up, as df does.
func percent(total, free int64) int64 { return (100*(total-free) + total - 1) / total }

func (c *Call) dfHeader(o options, title string) {
	kind := ""
	if o.has("T") {
		kind = "Type "
	}
	if o.has("P") {
		fmt.Fprintf(c.Out, "Filesystem     %s%11s        Used Available Capacity Mounted on\n", kind, title)
		return
	}
	fmt.Fprintf(c.Out, "Filesystem     %s%11s        Used Available Use%% Mounted on\n", kind, title)
}

func (c *Call) dfLine(o options, total, free, used int64) {
	kind := ""
	if o.has("T") {
		kind = "ext4 "
	}
	fmt.Fprintf(c.Out, "/dev/vda1      %s%11d %11d %9d %7d%% /\n", kind, total, total-free, free, used)
}
