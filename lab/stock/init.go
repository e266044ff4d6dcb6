package stock

import (
	"io"
	"os"
	"strings"

	"github.com/k0sproject/k0sctl/cmd"
)

// Init runs `k0sctl init` with these arguments. It writes to stdout, whatever it is told.
func Init(args []string) error {
	return cmd.NewK0sctl(strings.NewReader(""), os.Stdout, io.Discard).Run(append([]string{"k0sctl", "init"}, args...))
}
