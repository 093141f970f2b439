// Runs before Gradio. Its sign that the page is loading counts the time frame by frame, and goes on
// with that when it is gone: the browser would draw the page anew sixty times a second, for ever.
// Nothing here waits for Gradio, so that no such clock is ever seen.
const atNextFrame = window.requestAnimationFrame.bind(window);
window.requestAnimationFrame = (draw) => (/\/statustracker-/.test(new Error().stack) ? 0 : atNextFrame(draw));
