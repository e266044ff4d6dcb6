// Package prelude makes the set-up of libraries cheap. It runs before theirs, and every start of kiban waits for that: each key pressed
// for a completion, too.
//
// Two things of a start cost more than all the rest. rig's package sshconfig starts the program ssh nine times, before main, to ask which
// algorithms it knows; and the garbage collector runs again and again over tables that stay. Nothing of a library has to be changed for
// either: the language has packages initialised in the order of their import paths among those whose own imports are, and this one imports
// only syscall. So it comes before os, and with that before os/exec and everything that could start a program.
//
//   - The search path is empty until [Over]. rig finds no ssh, and takes the lists that come with it, as it does in an image
//     that has no ssh: what kiban offers to a machine depends on kiban alone, not on the computer that it runs on.
//   - A piece of memory that is never written to, and so takes up none, counts as in use. The collector waits until the heap has
//     outgrown it, which no start does.
//
// Whoever imports a library that has to be kept quiet imports this too, and calls Over in a declaration of its own, which the language puts
// after all of its imports:
//
//	var _ = prelude.Over()
package prelude

import "syscall"

// untouched is how much memory is taken for in use, in bytes. Setting up takes about 20 MB.
const untouched = 32 << 20

// held is what is kept from libraries while they set themselves up.
var held = hold() //nolint:gochecknoglobals // the initialisation of a variable is what runs before other packages' own

type withheld struct {
	path   string
	isSet  bool
	unused []byte
}

func hold() withheld {
	path, isSet := syscall.Getenv("PATH")
	if isSet {
		// What fails leaves the path as it is: a start that is slower.
		_ = syscall.Setenv("PATH", "")
	}
	return withheld{path: path, isSet: isSet, unused: make([]byte, untouched)}
}

// Over gives back what was kept. Calling it again does nothing.
func Over() (again bool) {
	again = held.unused == nil
	if !again && held.isSet {
		_ = syscall.Setenv("PATH", held.path)
	}
	held = withheld{}
	return again
}
