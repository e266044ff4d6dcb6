package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"kiban.dev/kiban/lifecycle"
	fleets "kiban.dev/kiban/lifecycle/fleet"
	"kiban.dev/kiban/lifecycle/selector"
)

// selection is the flag -l, which each verb has that takes several sites.
type selection struct {
	text string
	// By is what it says, once the command line was checked.
	By selector.Selector
}

func (s *selection) flag(cmd *cobra.Command) {
	cmd.Flags().StringVarP(&s.text, "selector", "l", "", "the sites whose labels match, such as tier=production,region!=eu")
}

// check reads the flag. Sites are named or selected.
func (s *selection) check(cmd *cobra.Command, named []string) (given bool, err error) {
	if !cmd.Flags().Changed("selector") {
		return false, nil
	}
	if len(named) > 0 {
		return true, usage(cmd, "either names of sites or --selector, not both")
	}
	if all := cmd.Flags().Lookup("all"); all != nil && all.Changed {
		return true, usage(cmd, "either --all or --selector, not both")
	}
	s.By, err = selector.Parse(s.text)
	return true, err
}

// namedOr are the sites that are named, those that the selector matches, or what other gives where there is neither. A site that can't be
// read is among those that match, for nobody knows its labels: the verb tells of it as if it had been named.
func (a *app) namedOr(cmd *cobra.Command, args []string, s *selection, other func() ([]string, error)) ([]string, error) {
	selected, err := s.check(cmd, args)
	switch {
	case err != nil:
		return nil, err
	case selected:
		list, _, err := a.listed(cmd.Context(), s.By)
		if err == nil && len(list.Sites) == 0 {
			err = noMatch(s.By)
		}
		return list.Names(), err
	case len(args) > 0:
		return args, nil
	}
	return other()
}

// wholeFleet is what a verb is given that means every site by none.
func wholeFleet() ([]string, error) { return nil, nil }

// listed are the fleet's sites that a selector matches, and those that can't be read, with what keeps them from it.
func (a *app) listed(ctx context.Context, by selector.Selector) (fleets.List, lifecycle.Diagnostics, error) {
	fleet, err := a.fleetDir()
	if err != nil {
		return fleets.List{}, nil, err
	}
	list, found, err := a.source().All(ctx, fleet)
	return list.Selected(by), found, err
}

func noMatch(by selector.Selector) error {
	return lifecycle.Errorf("", "no site matches %s", by).Try("`kiban sites` shows the labels of each. " + selector.Form)
}

// severalSites is which sites a verb is for that takes them one after another.
type severalSites struct {
	// Wave takes the sites of that wave; 0 takes those that are named.
	Wave int
	selection
}

func (s *severalSites) flag(cmd *cobra.Command) {
	cmd.Flags().IntVar(&s.Wave, "wave", 0, "the sites of this wave (spec.wave of the Site), one after another")
	s.selection.flag(cmd)
}

// namesOf are the sites that are named, those of a wave or a selector, or the one that is meant where none is. looks says that nothing is
// changed: then a site that can't be read is one of them, and keeps no other from being looked at. Otherwise it is an error before
// anything is begun, for it may be one of those that are meant.
func (a *app) namesOf(cmd *cobra.Command, args []string, several *severalSites, looks bool) ([]string, error) {
	selected, err := several.check(cmd, args)
	if err != nil {
		return nil, err
	}
	ofWave := cmd.Flags().Changed("wave")
	if !ofWave && !selected {
		if len(args) > 1 {
			return args, nil
		}
		name, err := a.oneSite(cmd, args)
		return []string{name}, err
	}
	if len(args) > 0 {
		return nil, usage(cmd, "either names of sites or --wave, not both")
	}
	list, found, err := a.listed(cmd.Context(), several.By)
	if ofWave {
		list = list.OfWave(several.Wave)
	}
	if !looks {
		err = errors.Join(err, found.Err())
	}
	switch {
	case err != nil || len(list.Sites) > 0:
		return list.Names(), err
	case selected && ofWave:
		return nil, usage(cmd, fmt.Sprintf("no site of wave %d matches %s; kiban sites shows waves and labels", several.Wave, several.By))
	case selected:
		return nil, noMatch(several.By)
	}
	return nil, usage(cmd, fmt.Sprintf("no site is of wave %d; kiban sites shows the waves", several.Wave))
}
