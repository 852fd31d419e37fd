# The course: students write the labs. Included by the Makefile.

COURSE = $(PYTHON) -m tests.course
needs  = $(if $($1),"$($1)",$(error say $1=..., as in make $@ LAB=2 DIR=../my-lab2))

start: ## an empty lab to write yourself: LAB=0..4 DIR=../my-lab2 (SEED=word: a variant of one's own)
	@$(COURSE).start $(call needs,LAB) $(call needs,DIR) $(SEED:%=--seed=%)
mine: labs
	@$(COURSE).mine $(call needs,LAB) $(call needs,DIR) --build=$(abspath $B)
grade: labs ## what your lab can do: LAB= DIR= (STAGE=name, HINT=1, 2 or 3)
	@$(COURSE).grade $(call needs,LAB) $(call needs,DIR) --build=$(abspath $B) \
	    $(STAGE:%=--stage=%) $(HINT:%=--hint=%) $(SEED:%=--seed=%)

.PHONY: start mine grade
watch: labs ## grade at every save, show the first stage that fails: LAB= DIR=
	@$(COURSE).watch $(call needs,LAB) $(call needs,DIR) --build=$(abspath $B) $(SEED:%=--seed=%)
.PHONY: watch
hunt: labs ## a bug to find: N=7 DIR=new folder, then NAME=mistake; without N: the list
	@$(COURSE).hunt $(N) $(if $(N),$(if $(DIR),"$(DIR)")) $(NAME:%=--name=%) $(if $(TRY),--try)
.PHONY: hunt
class: labs ## grade a class: LAB= SUBMISSIONS=folder JOBS=4 (OUT=results/class, SEED=word)
	@$(COURSE).classes $(call needs,LAB) $(call needs,SUBMISSIONS) $(JOBS:%=--jobs=%) $(SEED:%=--seed=%) \
	    $(if $(OUT),--out="$(OUT)") --build=$(abspath $B)
.PHONY: class
gradescope: ## an autograder's zip for Gradescope: LAB=
	@$(COURSE).gradescope $(call needs,LAB) --zip=$(or $(OUT),$(abspath $B)/course/gradescope-lab$(LAB).zip)
handouts: labs ## the tree that students get, without solutions: OUT=new folder (HUNTS=1,4,7 or none)
	@$(COURSE).handouts $(call needs,OUT) $(HUNTS:%=--hunts=%) --build=$(abspath $B)
similar: ## whose labs look alike (needs similarity-tester): LAB= SUBMISSIONS=
	@$(COURSE).similar $(call needs,LAB) $(call needs,SUBMISSIONS)
.PHONY: gradescope handouts similar
test-grader: labs ## grade some right and wrong submissions of each lab, and compare with the table
	@$(COURSE).checks.run_table --some --jobs=2
test-course: labs ## the same with all of them, then mutants of the labs (MUTANTS=1000)
	@$(COURSE).checks.run_table --jobs=2
	@$(COURSE).checks.gallery --jobs=2
	@$(COURSE).checks.hunting
	@$(COURSE).checks.mutants --most=$(or $(MUTANTS),1000)
.PHONY: test-grader test-course
exam: ## questions with numbers drawn from SEED=1 (ANSWERS=1: worked; GIFT=1: the tutorial's, for Moodle)
	@$(COURSE).exam --seed=$(or $(SEED),1) $(if $(ANSWERS),--answers) $(if $(GIFT),--gift)
.PHONY: exam
slides: ## the slides of two lectures, one HTML file: build/course/slides.html
	@$(COURSE).slides
.PHONY: slides
