export const starters = {
  newAction: {
    transfer: {
      name: "Transfer",
      description: "Transfer the call to a person when the caller asks for it or when you cannot help.",
    },
    workflow: {
      name: "Look up",
      description: "Look up what was asked in our systems.",
    },
    hang_up: {
      name: "Hang up",
      description: "The caller says goodbye, or has no more questions.",
    },
    rag: {
      name: "Frequent questions",
      description: "Search our documents for the answer when the question is about our products or services.",
    },
    keypad: {
      name: "Keypad",
      description: "Press keys on the telephone keypad, to answer an automated menu or to dial an extension that the other side asks for.",
    },
    wait: {
      name: "Wait",
      description: "Say nothing for now and keep listening: hold music is playing, a recorded menu is still being read out, or the other side asked you to hold on.",
    },
  },
  template: {
    errorMessage: "We have a technical problem. Please call again in a few minutes.",
    blank: {
      greeting: "{{name}}, hello.",
      prompt: "You answer the phone for {{name}}. Use short sentences, made to be heard.",
    },
    frontDesk: {
      greeting: "{{name}}, hello. How can I help you?",
      prompt: "You answer the phone of {{name}}. Reply in one or two short sentences. Never make anything up: when the answer is not below, say that you do not know. When the caller says goodbye, hang up.\n\nTo know:\n- Opening hours: Monday to Friday, 9 am to 6 pm.\n- Address: to be filled in.",
    },
    appointment: {
      greeting: "{{name}}, hello. Would you like to make an appointment?",
      prompt: "You take appointments for {{name}}. One question at a time, short sentences.",
    },
    afterHours: {
      greeting: "{{name}}, hello. We are closed at the moment. May I take a message?",
      prompt: "You answer for {{name}} outside opening hours. You take a message and promise nothing.",
    },
    step: {
      welcome: {
        name: "Welcome",
        prompt: "Find out what the caller wants. If it is an appointment, move on; otherwise answer briefly.",
      },
      booking: {
        name: "Appointment",
        prompt: "Ask for the day wanted, then the name. Repeat both to confirm.",
      },
      message: {
        name: "Message",
        prompt: "Ask for the caller’s name, then the message. Repeat what matters to confirm.",
      },
      end: {
        name: "End",
        text: "It is noted, thank you. Goodbye!",
        messageText: "It is noted, we will call you back. Goodbye.",
      },
    },
    transition: {
      book: "The caller wants an appointment.",
      booked: "The day and the name are confirmed.",
      message: "The name and the message are confirmed.",
    },
    extract: {
      day: "Day and time wanted",
      name: "Name of the caller",
      message: "The caller’s message",
    },
  },
};
